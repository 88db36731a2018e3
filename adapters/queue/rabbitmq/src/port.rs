//! RabbitMQ behind the queue port.

use std::sync::Arc;

use florin_kernel::event::Event;
use florin_queue::features::{Delay, FanOut, Features, Restart};
use florin_queue::port::{
    Handler, PublishError, Publisher, QueueBacklog, QueueError, SetAside, Subscriber, Subscription,
};
use futures_util::future::BoxFuture;
use lapin::types::ShortString;
use tokio_util::sync::CancellationToken;

use crate::backlog;
use crate::broker::Broker;
use crate::config::RabbitMqConfig;
use crate::consumer::QueueConsumer;
use crate::message;
use crate::outlet::Letter;
use crate::set_aside;
use crate::topology::DELIVERY_LIMIT;

/// What it does by itself.
pub const FEATURES: Features = Features {
    name: "RabbitMQ",
    fan_out: FanOut::Broker,
    delay: Delay::Ladder,
    ordered: true,
    delivery_limit: Some(DELIVERY_LIMIT),
    max_event_bytes: Some(MOST_READ),
    restart: Restart::Kept,
};

/// What a consumer reads by default; the broker itself carries more.
const MOST_READ: usize = 1_048_576;

/// A RabbitMQ broker, 3.10 or newer. Clones share its two connections.
#[derive(Clone)]
pub struct RabbitMq {
    broker: Arc<Broker>,
}

impl RabbitMq {
    /// A broker that is connected to when it is first needed, and again whenever the connection is lost.
    ///
    /// # Errors
    /// The configuration cannot be used. A broker that is away is no error, now or later.
    pub fn connect(config: RabbitMqConfig) -> Result<Self, QueueError> {
        Ok(Self { broker: Arc::new(Broker::new(config)?) })
    }

    fn letter(&self, event: &Event) -> Result<Letter, PublishError> {
        let refused = |why: String| PublishError::Refused(why);
        let (properties, body) = message::encode(event).map_err(|error| refused(error.to_string()))?;
        let routing_key = ShortString::try_new(event.kind.clone())
            .map_err(|_| refused("the event's type is longer than 255 bytes".to_owned()))?;
        let (exchange, mandatory) = (self.broker.names.exchange(), self.broker.topology.wants(event));
        Ok(Letter { exchange, routing_key, mandatory, properties, body })
    }
}

impl Publisher for RabbitMq {
    /// An event that a declared subscription wants must reach a queue: when the broker returns it, queues and
    /// bindings are declared again and it is `NotConfirmed`. One that none of them wants is published all the same,
    /// because other deployments bind queues of their own; when nobody has, the broker drops it, and that is `Ok`.
    fn publish<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), PublishError>>> {
        Box::pin(async move {
            let mut letters = Vec::with_capacity(events.len());
            let mut results = Vec::with_capacity(events.len());
            for event in events {
                results.push(self.letter(event).map(|letter| letters.push(letter)));
            }
            let mut answers = self.broker.outlet.send(&letters).await.into_iter();
            for result in results.iter_mut().filter(|result| result.is_ok()) {
                *result =
                    answers.next().unwrap_or_else(|| Err(PublishError::NotConfirmed("no answer".to_owned())));
            }
            results
        })
    }
}

impl Subscriber for RabbitMq {
    fn declare<'a>(&'a self, subscriptions: &'a [Subscription]) -> BoxFuture<'a, Result<(), QueueError>> {
        Box::pin(self.broker.declare(subscriptions))
    }

    fn consume(
        &self,
        subscription: Subscription,
        concurrency: usize,
        handler: Handler,
        stop: CancellationToken,
    ) -> BoxFuture<'static, Result<(), QueueError>> {
        let broker = self.broker.clone();
        Box::pin(async move {
            broker.check(&[subscription])?;
            QueueConsumer { broker, subscription, concurrency, handler, stop }.run().await
        })
    }

    fn set_aside<'a>(
        &'a self,
        subscriptions: &'a [Subscription],
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<SetAside>, QueueError>> {
        Box::pin(async move {
            self.broker.check(subscriptions)?;
            let mut found = Vec::new();
            for subscription in subscriptions {
                found.extend(set_aside::peek(&self.broker, subscription.function, most).await?);
            }
            Ok(found)
        })
    }

    fn backlog<'a>(
        &'a self,
        subscriptions: &'a [Subscription],
    ) -> BoxFuture<'a, Result<Vec<QueueBacklog>, QueueError>> {
        Box::pin(async move {
            let mut told = Vec::new();
            for subscription in subscriptions {
                told.extend(backlog::of(&self.broker, subscription.function).await?);
            }
            Ok(told)
        })
    }
}
