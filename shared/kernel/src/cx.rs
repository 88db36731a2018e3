//! What a room is given: a transaction, the caller, the time, new identifiers, the deployment's public address, and ways
//! to say what must follow.

use std::ops::{Deref, DerefMut};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::caller::{Caller, TenantId};
use crate::cloudevents::MAX_INDEXED_BYTES;
use crate::db::{Query, Sql, Tx};
use crate::event::{Data, Event, MAX_EVENT_BYTES, TraceParent};
use crate::function::{Effect, EventType};
use crate::id::{Id, Ids, Kind};
use crate::list::ListOf;
use crate::problem::codes;
use crate::stop::Stop;
use crate::time::Timestamp;

/// What a query sees: a read-only transaction inside one tenant.
pub struct View {
    pub(crate) tx: Tx,
    pub(crate) caller: Caller,
    pub(crate) now: Timestamp,
    /// Which list this is: set for queries.
    pub(crate) list: Option<ListOf>,
}

impl View {
    /// A statement on this transaction.
    pub fn sql(&mut self, sql: impl Into<Sql>) -> Query<'_> {
        self.tx.sql(sql)
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The caller's tenant: the first bind of every statement.
    pub fn tenant(&self) -> TenantId {
        self.caller.tenant.clone()
    }

    /// The instant of this invocation.
    pub fn now(&self) -> Timestamp {
        self.now
    }
}

/// What a room that changes something sees.
pub struct Cx {
    pub(crate) view: View,
    pub(crate) ids: Ids,
    pub(crate) source: String,
    pub(crate) address: Option<String>,
    pub(crate) trace: Option<TraceParent>,
    pub(crate) about: Option<String>,
    pub(crate) emitted: Vec<Event>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) review: Option<String>,
}

/// The kind of an event's identifier: `evt_...`.
pub enum EventKind {}
impl Kind for EventKind {
    const PREFIX: &'static str = "evt";
}

/// An effect that was asked for, as its row will hold it.
pub(crate) struct Asked {
    pub(crate) name: &'static str,
    pub(crate) input: Value,
    pub(crate) subject: String,
}

impl Deref for Cx {
    type Target = View;
    fn deref(&self) -> &View {
        &self.view
    }
}

impl DerefMut for Cx {
    fn deref_mut(&mut self) -> &mut View {
        &mut self.view
    }
}

impl Cx {
    /// A new identifier.
    pub fn new_id<K: Kind>(&self) -> Id<K> {
        self.ids.new_id()
    }

    /// The address under which a browser or a peer reaches this path of ours. An effect that tells it to a peer keeps it
    /// in its input: another process, at another address, then repeats the same bytes under the same key.
    ///
    /// # Errors
    /// A fault where the deployment has no public address.
    pub fn address(&self, path: &str) -> Result<String, Stop> {
        match &self.address {
            Some(address) => Ok(format!("{address}{path}")),
            None => Err(Stop::fault(format!("this deployment has no public address to put before {path}"))),
        }
    }

    /// Names the resource this invocation is about, for the audit record. The first event's subject is the default.
    pub fn about(&mut self, resource: impl ToString) {
        self.about = Some(resource.to_string());
    }

    /// Says what happened to an aggregate; `sequence` is its version after the change. It is published if and
    /// only if this transaction commits. An event over [`MAX_EVENT_BYTES`], or whose subject is longer than a reader
    /// takes ([`Limits::max_indexed_bytes`](crate::cloudevents::Limits::max_indexed_bytes)), is refused here.
    pub fn emit<P: Serialize + JsonSchema>(
        &mut self,
        kind: EventType<P>,
        subject: impl ToString,
        sequence: i64,
        data: &P,
    ) -> Result<(), Stop> {
        let subject = subject.to_string();
        if subject.len() > MAX_INDEXED_BYTES {
            return Err(codes::EVENT_TOO_LARGE
                .because(format!("the subject of {} is over {MAX_INDEXED_BYTES} bytes", kind.kind))
                .into());
        }
        self.about.get_or_insert_with(|| subject.clone());
        let id = self.new_id::<EventKind>().to_string();
        let event = self.event(id, kind.kind, subject, sequence, serde_json::to_value(data)?);
        if event.to_stored()?.len() > MAX_EVENT_BYTES {
            return Err(codes::EVENT_TOO_LARGE
                .because(format!("{} would be over {MAX_EVENT_BYTES} bytes", kind.kind))
                .into());
        }
        self.emitted.push(event);
        Ok(())
    }

    /// Asks for an effect on this subject. It runs after the commit, at least once under one stable key.
    pub fn ask<E: Effect>(&mut self, effect: &E, subject: impl ToString) -> Result<(), Stop> {
        let input = serde_json::to_value(effect)?;
        self.asked.push(Asked { name: E::NAME, input, subject: subject.to_string() });
        Ok(())
    }

    /// Leaves an effect to a person although its outcome is known: for a recording command that hears what contradicts
    /// its own rows. All that it changes and emits stands; the effect is `needs_review` for this reason instead of
    /// `done`, so that `florin effects` shows it and can want it again. It means nothing in other rooms.
    pub fn needs_review(&mut self, why: impl Into<String>) {
        self.review = Some(why.into());
    }

    pub(crate) fn event(&self, id: String, kind: &str, subject: String, sequence: i64, data: Value) -> Event {
        let mut event = Event {
            id,
            source: self.source.clone(),
            kind: kind.to_owned(),
            subject: Some(subject),
            time: Some(self.view.now),
            dataschema: None,
            extensions: [
                ("sequence".to_owned(), sequence.to_string()),
                ("tenant".to_owned(), self.view.caller.tenant.to_string()),
            ]
            .into(),
            data: Data::Json { content_type: "application/json".to_owned(), value: data },
        };
        if let Some(trace) = &self.trace {
            event.extensions.insert("traceparent".to_owned(), trace.to_string());
        }
        event
    }
}

/// The type of the event that tells the audit service of an operation.
pub const OPERATION_EVENT: &str = "florin.audit.operation.v1";

/// What the audit service is told of an operation; every audited service emits it, and every service of an operator's act.
pub const OPERATION: EventType<OperationRecord<'static>> = EventType::new(
    OPERATION_EVENT,
    "An operation was asked for, or a job or a delivery ran.",
    include_str!("../../../events/florin.audit.operation.v1.example.json"),
);

/// One invocation of an operation that changes something, whether it did or not.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OperationRecord")]
pub struct OperationRecord<'a> {
    /// The invocation.
    pub operation_id: &'a str,
    /// The function's name; of an operator's act the service's and the act's, such as `payments.retry_effect`.
    pub operation: &'a str,
    /// Who asked.
    pub actor: Actor<'a>,
    /// The resource it is about.
    pub resource: Option<&'a str>,
    /// What it came to: `succeeded`, `accepted` (it waits for an effect), `declined`, `refused`, `forbidden` or
    /// `needs_review`.
    pub outcome: &'a str,
    /// Why it was not done: the problem's code.
    pub code: Option<&'a str>,
    /// The request's identifier.
    pub request_id: Option<&'a str>,
    /// The W3C trace it belongs to.
    pub trace_id: Option<&'a str>,
}

/// Who asked for an operation.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Actor<'a> {
    /// The token's subject, `florin` for the system itself, or `operator` for whoever runs a command on its data.
    pub subject: &'a str,
    /// Through which client.
    pub client: &'a str,
}

pub(crate) struct Operation<'a> {
    pub(crate) id: &'a str,
    pub(crate) function: &'a str,
    pub(crate) outcome: &'a str,
    pub(crate) code: Option<&'a str>,
    pub(crate) request_id: Option<&'a str>,
}

impl Cx {
    /// The record of this operation, under the operation's own identifier, so that it stands once.
    pub(crate) fn operation_record(&self, of: &Operation<'_>) -> Event {
        let caller = &self.view.caller;
        let record = OperationRecord {
            operation_id: of.id,
            operation: of.function,
            actor: Actor { subject: &caller.subject, client: &caller.client },
            resource: self.about.as_deref(),
            outcome: of.outcome,
            code: of.code,
            request_id: of.request_id,
            trace_id: self.trace.as_ref().map(TraceParent::trace_id),
        };
        let data = serde_json::to_value(record).expect("a record is text under text keys");
        self.event(of.id.to_owned(), OPERATION_EVENT, of.id.to_owned(), 1, data)
    }
}
