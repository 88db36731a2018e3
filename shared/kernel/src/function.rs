//! The contract: five kinds of rooms, and the one list of them that everything else is read from.

use std::marker::PhantomData;
use std::time::Duration;

use futures_util::future::BoxFuture;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{Answer, Rendered};
use crate::cx::{Cx, View};
use crate::door::Door;
use crate::event::{Event, Pattern};
use crate::input::Input;
use crate::network::{Parsed, Request, Response};
use crate::problem::Code;
use crate::stop::Stop;
use crate::time::Timestamp;

/// Changes something, by an HTTP door. It may use the database, emit events and ask for effects; it has no network.
///
/// The type is the request: its fields are the path's and query's parameters and the body's members, and its doc
/// comment is the operation's summary.
pub trait Command: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// `service.verb_noun`.
    const NAME: &'static str;
    /// Where it is entered.
    const DOOR: Door;
    /// The codes it may refuse with, besides those of every door.
    const REFUSES: &'static [Code];
    /// What it answers.
    type Answer: Serialize + JsonSchema + Send;

    /// The change.
    fn run(self, cx: &mut Cx) -> impl Future<Output = Result<Answer<Self::Answer>, Stop>> + Send;

    /// The answer of an operation that waited, from what its subject is now: for the record that closes it, for
    /// whoever waits, and for a 202. Only a command that answers [`Answer::Waiting`] needs it.
    fn answer(
        cx: &mut View,
        subject: &str,
    ) -> impl Future<Output = Result<Answer<Self::Answer>, Stop>> + Send {
        let _ = cx;
        let fault = Stop::fault(format!("{} does not wait, and {subject} waits for it", Self::NAME));
        async move { Err(fault) }
    }
}

/// Reads something, by an HTTP door.
pub trait Query: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// `service.verb_noun`.
    const NAME: &'static str;
    /// Where it is entered.
    const DOOR: Door;
    /// The codes it may refuse with, besides those of every door.
    const REFUSES: &'static [Code];
    /// What it answers.
    type Answer: Serialize + JsonSchema + Send;

    /// The reading.
    fn run(self, cx: &mut View) -> impl Future<Output = Result<Answer<Self::Answer>, Stop>> + Send;
}

/// Changes something because an event arrived, on a queue of its own.
pub trait Reaction: Send + 'static {
    /// `service.verb_noun`.
    const NAME: &'static str;
    /// The event types it wants.
    const ON: &'static [Pattern];
    /// The fields of the event's data that it reads; everything else is ignored.
    type Data: DeserializeOwned + Send;

    /// The change. A [`Stop::Retry`] comes again; a refusal is a dead letter.
    fn run(fact: Fact<Self::Data>, cx: &mut Cx) -> impl Future<Output = Result<(), Stop>> + Send;
}

/// An event as a reaction sees it.
#[derive(Debug)]
pub struct Fact<D> {
    /// The whole event.
    pub event: Event,
    /// Its data, as far as the reaction reads it.
    pub data: D,
}

/// Changes something because time has passed, item by item.
pub trait Job: Send + 'static {
    /// `service.verb_noun`.
    const NAME: &'static str;
    /// How often it runs; its slots are whole multiples of this since 1970.
    const EVERY: Duration;
    /// Finds what is due as `florin_system`: rows of (tenant, subject); `$1` is now and `$2` the most it may take.
    const DUE: &'static str;
    /// The most items of one run.
    const BATCH: i64;

    /// The change for one item, in a transaction of its own inside the item's tenant.
    fn run(subject: String, cx: &mut Cx) -> impl Future<Output = Result<(), Stop>> + Send;
}

/// A call to a peer, asked for by a room as a row of its transaction. Pure: it builds requests and reads responses;
/// the host owns the network.
pub trait Effect: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `service.verb_noun`.
    const NAME: &'static str;
    /// Which peer; the host's configuration says where it is and how to authenticate.
    const PEER: &'static str;
    /// Whether the peer honours the key: then the effect happens exactly once, else at least once.
    const PEER_HONOURS_KEY: bool;
    /// The bound on one run: its requests together.
    const TIMEOUT: Duration;
    /// After this it is not tried any more and needs a person (`needs_review`): shorter than the peer keeps its key.
    const MAX_AGE: Duration;
    /// What it comes to.
    type Outcome: Serialize + DeserializeOwned + Send + Sync;

    /// The key the peer knows this effect by: the same at every attempt.
    fn key(&self) -> String;
    /// The first request.
    fn build(&self) -> Request;
    /// What the response to the request of this step (0, 1, ...) means.
    fn parse(&self, step: u32, response: &Response) -> Parsed<Self::Outcome>;
}

/// Records what an effect came to: the first outcome wins, and only it reaches this room.
pub trait Record: Send + 'static {
    /// `service.verb_noun`.
    const NAME: &'static str;
    /// Whose outcome it records.
    type Effect: Effect;

    /// The change.
    fn run(
        effect: Self::Effect,
        outcome: <Self::Effect as Effect>::Outcome,
        cx: &mut Cx,
    ) -> impl Future<Output = Result<(), Stop>> + Send;

    /// The change when no outcome was found within [`Effect::MAX_AGE`].
    fn unresolved(effect: Self::Effect, cx: &mut Cx) -> impl Future<Output = Result<(), Stop>> + Send;
}

/// An event type with the type of its data.
pub struct EventType<P> {
    /// For example `florin.payment.captured.v1`.
    pub kind: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// An example of its data, as JSON.
    pub example: &'static str,
    data: PhantomData<fn() -> P>,
}

impl<P> Clone for EventType<P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P> Copy for EventType<P> {}

/// An event type as the catalog lists it.
#[derive(Clone, Copy, Debug)]
pub struct EventEntry {
    /// For example `florin.payment.captured.v1`.
    pub kind: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// An example of its data, as JSON.
    pub example: &'static str,
    /// The schema of its data.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

impl<P: JsonSchema> EventType<P> {
    /// An event type of this service; `example` is a file under events/.
    pub const fn new(kind: &'static str, summary: &'static str, example: &'static str) -> Self {
        Self { kind, summary, example, data: PhantomData }
    }

    /// Its entry in the catalog.
    pub const fn entry(self) -> EventEntry {
        EventEntry {
            kind: self.kind,
            summary: self.summary,
            example: self.example,
            schema: SchemaGenerator::subschema_for::<P>,
        }
    }
}

/// One line of a service's table of contents.
#[derive(Clone, Copy)]
pub struct Function {
    /// `service.verb_noun`.
    pub name: &'static str,
    /// What it is and how it is run.
    pub room: Room,
}

/// The five kinds, without their types.
#[derive(Clone, Copy)]
pub enum Room {
    /// See [`Command`].
    Command(CommandRoom),
    /// See [`Query`].
    Query(QueryRoom),
    /// See [`Reaction`].
    Reaction(ReactionRoom),
    /// See [`Job`].
    Job(JobRoom),
    /// See [`Effect`] and [`Record`].
    Effect(EffectRoom),
}

/// What every HTTP door says of itself.
#[derive(Clone, Copy)]
pub struct DoorRoom {
    /// Where it is entered.
    pub door: Door,
    /// The codes it may refuse with.
    pub refuses: &'static [Code],
    /// The schema of its request.
    pub request: fn(&mut SchemaGenerator) -> Schema,
    /// The schema of its answer.
    pub answer: fn(&mut SchemaGenerator) -> Schema,
}

/// A [`Command`] without its type.
#[derive(Clone, Copy)]
pub struct CommandRoom {
    /// Its door.
    pub at: DoorRoom,
    pub(crate) run: for<'a> fn(&'a Input, &'a mut Cx, &'a str) -> BoxFuture<'a, Result<Rendered, Stop>>,
    pub(crate) check: fn(&Input) -> Result<(), crate::problem::Problem>,
    pub(crate) answer: for<'a> fn(&'a mut View, &'a str, &'a str) -> BoxFuture<'a, Result<Rendered, Stop>>,
}

/// A [`Query`] without its type.
#[derive(Clone, Copy)]
pub struct QueryRoom {
    /// Its door.
    pub at: DoorRoom,
    pub(crate) run: for<'a> fn(&'a Input, &'a mut View, &'a str) -> BoxFuture<'a, Result<Rendered, Stop>>,
}

/// A [`Reaction`] without its type.
#[derive(Clone, Copy)]
pub struct ReactionRoom {
    /// The event types it wants.
    pub on: &'static [Pattern],
    /// Whether it can read an event's data, for the test that feeds it every example.
    pub reads: fn(&Value) -> Result<(), serde_json::Error>,
    pub(crate) run: fn(Event, &mut Cx) -> BoxFuture<'_, Result<(), Stop>>,
}

/// A [`Job`] without its type.
#[derive(Clone, Copy)]
pub struct JobRoom {
    /// How often it runs.
    pub every: Duration,
    pub(crate) due: &'static str,
    pub(crate) batch: i64,
    pub(crate) run: fn(String, &mut Cx) -> BoxFuture<'_, Result<(), Stop>>,
}

/// An [`Effect`] and its [`Record`] without their types.
#[derive(Clone, Copy)]
pub struct EffectRoom {
    /// Which peer.
    pub peer: &'static str,
    /// Whether the peer honours the key.
    pub peer_honours_key: bool,
    /// The bound on one run: its requests together.
    pub timeout: Duration,
    /// After this it needs a person.
    pub max_age: Duration,
    /// The name of the recording command.
    pub record_name: &'static str,
    pub(crate) key: fn(&Value) -> Result<String, Stop>,
    pub(crate) build: fn(&Value) -> Result<Request, Stop>,
    pub(crate) parse: fn(&Value, u32, &Response) -> Result<Parsed<Value>, Stop>,
    pub(crate) record: fn(Value, Value, &mut Cx) -> BoxFuture<'_, Result<(), Stop>>,
    pub(crate) unresolved: fn(Value, &mut Cx) -> BoxFuture<'_, Result<(), Stop>>,
}

impl Function {
    /// A command.
    pub const fn command<C: Command>() -> Self {
        let at = DoorRoom {
            door: C::DOOR,
            refuses: C::REFUSES,
            request: SchemaGenerator::subschema_for::<C>,
            answer: SchemaGenerator::subschema_for::<C::Answer>,
        };
        Self {
            name: C::NAME,
            room: Room::Command(CommandRoom {
                at,
                run: |input, cx, trace_id| {
                    Box::pin(async move { input.parse::<C>()?.run(cx).await?.render(&C::DOOR, trace_id) })
                },
                check: |input| input.parse::<C>().map(|_| ()),
                answer: |cx, subject, trace_id| {
                    Box::pin(async move { C::answer(cx, subject).await?.render(&C::DOOR, trace_id) })
                },
            }),
        }
    }

    /// A query.
    pub const fn query<Q: Query>() -> Self {
        let at = DoorRoom {
            door: Q::DOOR,
            refuses: Q::REFUSES,
            request: SchemaGenerator::subschema_for::<Q>,
            answer: SchemaGenerator::subschema_for::<Q::Answer>,
        };
        Self {
            name: Q::NAME,
            room: Room::Query(QueryRoom {
                at,
                run: |input, cx, trace_id| {
                    Box::pin(async move { input.parse::<Q>()?.run(cx).await?.render(&Q::DOOR, trace_id) })
                },
            }),
        }
    }

    /// A reaction.
    pub const fn reaction<R: Reaction>() -> Self {
        Self {
            name: R::NAME,
            room: Room::Reaction(ReactionRoom {
                on: R::ON,
                reads: |data| R::Data::deserialize(data).map(|_| ()),
                run: |event, cx| {
                    Box::pin(async move {
                        let value = event.json().unwrap_or(&Value::Null);
                        let data = R::Data::deserialize(value).map_err(|error| {
                            crate::problem::codes::INVALID_REQUEST
                                .because(format!("the event's data: {error}"))
                        })?;
                        R::run(Fact { event, data }, cx).await
                    })
                },
            }),
        }
    }

    /// A job.
    pub const fn job<J: Job>() -> Self {
        Self {
            name: J::NAME,
            room: Room::Job(JobRoom {
                every: J::EVERY,
                due: J::DUE,
                batch: J::BATCH,
                run: |subject, cx| Box::pin(J::run(subject, cx)),
            }),
        }
    }

    /// An effect, and the command that records what it came to.
    pub const fn effect<R: Record>() -> Self {
        Self {
            name: <R::Effect as Effect>::NAME,
            room: Room::Effect(EffectRoom {
                peer: R::Effect::PEER,
                peer_honours_key: R::Effect::PEER_HONOURS_KEY,
                timeout: R::Effect::TIMEOUT,
                max_age: R::Effect::MAX_AGE,
                record_name: R::NAME,
                key: |input| Ok(R::Effect::deserialize(input)?.key()),
                build: |input| Ok(R::Effect::deserialize(input)?.build()),
                parse: |input, step, response| {
                    Ok(match R::Effect::deserialize(input)?.parse(step, response) {
                        Parsed::Outcome(outcome) => Parsed::Outcome(serde_json::to_value(outcome)?),
                        Parsed::Further(request) => Parsed::Further(request),
                        Parsed::NotSent(why) => Parsed::NotSent(why),
                        Parsed::Unknown(why) => Parsed::Unknown(why),
                    })
                },
                record: |input, outcome, cx| {
                    Box::pin(async move {
                        R::run(serde_json::from_value(input)?, serde_json::from_value(outcome)?, cx).await
                    })
                },
                unresolved: |input, cx| {
                    Box::pin(async move { R::unresolved(serde_json::from_value(input)?, cx).await })
                },
            }),
        }
    }

    /// The service's name: what stands before the dot.
    pub fn service(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(service, _)| service)
    }

    /// Its HTTP door, if it has one.
    pub fn door(&self) -> Option<&DoorRoom> {
        match &self.room {
            Room::Command(room) => Some(&room.at),
            Room::Query(room) => Some(&room.at),
            Room::Reaction(_) | Room::Job(_) | Room::Effect(_) => None,
        }
    }

    /// "command", "query", "reaction", "job" or "effect".
    pub fn kind(&self) -> &'static str {
        match self.room {
            Room::Command(_) => "command",
            Room::Query(_) => "query",
            Room::Reaction(_) => "reaction",
            Room::Job(_) => "job",
            Room::Effect(_) => "effect",
        }
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind(), self.name)
    }
}

/// The slot of a schedule that an instant falls into, as the identifier of its tick: `job@slot`.
pub fn tick_id(job: &str, every: Duration, at: Timestamp) -> String {
    format!("{job}@{}", at.slot(every))
}
