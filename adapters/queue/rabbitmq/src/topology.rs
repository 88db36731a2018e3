//! Exchange, queues and bindings: declared the same way by whoever comes first, again and again.
//!
//! Everything durable; every queue a quorum queue (replicated where the broker is a cluster).
//! - `<exchange>`: topic; the routing key is the event's type, a pattern is a binding key as it stands.
//! - `<function>`: bound by its patterns. A message delivered and lost more than 100 times goes to `<function>.dead`.
//! - `<function>.retry.<seconds>`: one per step of the ladder, one time to live per queue, so the first in is the
//!   first out. What expires goes back to `<function>`.
//! - `<function>.dead`: for people; nothing consumes it.
//!
//! Messages move between queues by the default exchange, at least once: RabbitMQ removes a message here after
//! it is confirmed there (`dead-letter-strategy`, since 3.10), so that a crash in between loses nothing.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use florin_kernel::corridor::LADDER;
use florin_kernel::event::Event;
use florin_queue::port::Subscription;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind, Result};

use crate::failure::within;
use crate::names::Names;

/// A backstop far above what a process that crashes now and then reaches: Florin counts attempts by itself.
pub(crate) const DELIVERY_LIMIT: u32 = 100;

/// RabbitMQ 4 gives a queue without a limit one of 20 and then drops the message; looking at a dead message
/// returns it, which counts. (-1, its word for "none", is refused by 3.x.)
const NO_DELIVERY_LIMIT: i64 = 1_000_000_000;

/// The subscriptions this process knows, and how they stand on the broker.
pub(crate) struct Topology {
    names: Names,
    known: Mutex<Vec<Subscription>>,
}

impl Topology {
    pub(crate) fn new(names: Names) -> Self {
        Self { names, known: Mutex::new(Vec::new()) }
    }

    /// From now on every new publishing connection declares these too.
    pub(crate) fn learn(&self, subscriptions: &[Subscription]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|one| subscriptions.iter().all(|new| new.function != one.function));
        known.extend_from_slice(subscriptions);
    }

    pub(crate) fn known(&self) -> Vec<Subscription> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a known subscription wants the event, so that it must reach at least one queue.
    pub(crate) fn wants(&self, event: &Event) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().any(|subscription| subscription.wants(event))
    }

    /// Declares the exchange and these subscriptions; each of them may take `limit`.
    pub(crate) async fn declare_all(
        &self,
        channel: &Channel,
        subscriptions: &[Subscription],
        limit: Duration,
    ) -> Result<()> {
        within(limit, "declare the exchange", self.declare_exchange(channel)).await?;
        for subscription in subscriptions {
            within(limit, "declare queues", self.declare(channel, subscription)).await?;
        }
        Ok(())
    }

    async fn declare_exchange(&self, channel: &Channel) -> Result<()> {
        let (name, options) =
            (self.names.exchange(), ExchangeDeclareOptions { durable: true, ..Default::default() });
        channel.exchange_declare(name, ExchangeKind::Topic, options, FieldTable::default()).await
    }

    /// One function's queues and, last, the bindings of its own: bound means complete.
    async fn declare(&self, channel: &Channel, subscription: &Subscription) -> Result<()> {
        let function = subscription.function;
        let (queue, dead) = (self.names.queue(function), self.names.dead(function));
        quorum(channel, dead.clone(), [("x-delivery-limit", AMQPValue::LongLongInt(NO_DELIVERY_LIMIT))])
            .await?;
        for step in LADDER {
            let ttl = ("x-message-ttl", AMQPValue::LongLongInt(milliseconds(step)));
            let back = dead_letters_to(&queue);
            quorum(channel, self.names.retry(function, step), back.into_iter().chain([ttl])).await?;
        }
        let limit = ("x-delivery-limit", AMQPValue::LongLongInt(DELIVERY_LIMIT.into()));
        quorum(channel, queue.clone(), dead_letters_to(&dead).into_iter().chain([limit])).await?;
        for pattern in subscription.on {
            let key = ShortString::try_new(pattern.0).unwrap_or_default();
            let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
            channel.queue_bind(queue.clone(), self.names.exchange(), key, options, arguments).await?;
        }
        Ok(())
    }
}

type Argument = (&'static str, AMQPValue);

async fn quorum(
    channel: &Channel,
    name: ShortString,
    arguments: impl IntoIterator<Item = Argument>,
) -> Result<()> {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    for (argument, value) in arguments {
        table.insert(argument.into(), value);
    }
    let options = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare(name, options, table).await.map(drop)
}

/// By the default exchange, at least once; that strategy asks for `reject-publish`, which without a length limit
/// never rejects.
fn dead_letters_to(queue: &ShortString) -> [Argument; 4] {
    [
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text(queue.as_str())),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ]
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

fn milliseconds(step: Duration) -> i64 {
    i64::try_from(step.as_millis()).unwrap_or(i64::MAX)
}
