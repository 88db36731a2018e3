//! The one small port that every broker stands behind.

use std::sync::Arc;

use florin_kernel::corridor::Disposition;
use florin_kernel::event::{Event, Pattern};
use florin_kernel::function::{Function, Room};
use florin_kernel::time::Timestamp;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

/// Why an event was not taken by the broker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Not confirmed: nacked, returned, no connection, a time-out. It is published again.
    #[error("not confirmed: {0}")]
    NotConfirmed(String),
    /// The broker will never take it as it is.
    #[error("refused: {0}")]
    Refused(String),
}

/// Puts events on a broker.
pub trait Publisher: Send + Sync {
    /// Publishes a batch, confirms pipelined; one result for each event, in the order given. An `Ok` means that
    /// the broker has stored the event for every queue that wants it.
    fn publish<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), PublishError>>>;
}

/// One function's queue: it has the function's name, and takes every event type that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The function, and the queue.
    pub function: &'static str,
    /// What it wants.
    pub on: &'static [Pattern],
}

impl Subscription {
    /// The subscriptions among these functions.
    pub fn of(functions: impl IntoIterator<Item = &'static Function>) -> impl Iterator<Item = Self> {
        functions.into_iter().filter_map(|function| match &function.room {
            Room::Reaction(room) => Some(Self { function: function.name, on: room.on }),
            Room::Command(_) | Room::Query(_) | Room::Job(_) | Room::Effect(_) => None,
        })
    }

    /// Whether an event belongs on this queue.
    pub fn wants(&self, event: &Event) -> bool {
        self.on.iter().any(|pattern| pattern.matches(&event.kind))
    }
}

/// What becomes of a delivered event; it never fails, and says what to do with the message.
pub type Handler = Arc<dyn Fn(Event) -> BoxFuture<'static, Disposition> + Send + Sync>;

/// A broker cannot be used as configured. Being away is not such a case: implementations reconnect by themselves.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct QueueError(pub String);

/// A message that the broker set aside: it could not be decoded, or killed the process again and again.
#[derive(Clone, Debug)]
pub struct SetAside {
    /// Whose queue it came from.
    pub function: String,
    /// The message as text, for people.
    pub message: String,
    /// Why, as far as the broker knows.
    pub why: String,
}

/// What waits in a function's queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueBacklog {
    /// Whose queue.
    pub function: String,
    /// Messages that are due, due later or being delivered, as far as the broker tells.
    pub messages: u64,
    /// Whether the broker says how long they wait.
    pub knows_age: bool,
    /// Since when the oldest of them is there.
    pub oldest: Option<Timestamp>,
}

/// Takes events from a broker.
pub trait Subscriber: Send + Sync {
    /// Makes the queues and bindings of these subscriptions, so that nothing published from now on is lost,
    /// whichever process consumes it. Repeating it changes nothing.
    fn declare<'a>(&'a self, subscriptions: &'a [Subscription]) -> BoxFuture<'a, Result<(), QueueError>>;

    /// Consumes one subscription's queue until `stop`, at most `concurrency` messages at a time, and returns when
    /// the handlers that had begun are done and answered. It reconnects by itself. After `NotAttempted` it pauses
    /// before it takes more, so that a database that is away is not hammered.
    fn consume(
        &self,
        subscription: Subscription,
        concurrency: usize,
        handler: Handler,
        stop: CancellationToken,
    ) -> BoxFuture<'static, Result<(), QueueError>>;

    /// What the broker itself set aside for these subscriptions, at most `most` of each.
    fn set_aside<'a>(
        &'a self,
        subscriptions: &'a [Subscription],
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<SetAside>, QueueError>>;

    /// What waits for these subscriptions, asked cheaply: readers of metrics come every few seconds. A queue that is
    /// not there is left out, and a broker that cannot tell says nothing.
    fn backlog<'a>(
        &'a self,
        _subscriptions: &'a [Subscription],
    ) -> BoxFuture<'a, Result<Vec<QueueBacklog>, QueueError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}
