//! The queue port on Amazon SQS, with SNS fan-out where there is a topic.
//!
//! Each function has a standard queue of its own, and beside it a queue with `-dead` at the end of its name for
//! what no function can answer. A publisher gives an event to an SNS topic, whose subscriptions fan it out, or,
//! without a topic, sends it to each queue that wants it.
//!
//! FIFO queues are not used. They order and deduplicate (for five minutes), and Florin needs neither: an event
//! carries its aggregate's version and whole state, and the inbox knows every delivery for 35 days. What they
//! cost is that a message which must wait holds up all that follow in its group, and a bound on their rate.
//!
//! Credentials come from the AWS default chain. TLS is rustls with aws-lc-rs, which the SDK sets for itself.

mod backlog;
mod config;
mod connect;
mod consume;
mod dead;
mod declare;
mod fan_out;
mod filter;
mod names;
mod publish;
mod queues;
mod routes;
mod set_aside;
mod settle;
mod trouble;
mod visibility;

use std::sync::Arc;
use std::time::Duration;

use florin_kernel::event::Event;
use florin_queue::features::{Delay, FanOut, Features, Restart};
use florin_queue::port::{
    Handler, PublishError, Publisher, QueueBacklog, QueueError, SetAside, Subscriber, Subscription,
};
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use config::SqsConfig;
pub use filter::filter_policy;

/// What it does by itself without a topic.
pub const FEATURES: Features = Features {
    name: "SQS",
    fan_out: FanOut::Publisher,
    delay: Delay::Seconds,
    ordered: false,
    delivery_limit: Some(declare::MAX_RECEIVE_COUNT),
    max_event_bytes: Some(MOST_EVENT_BYTES),
    restart: Restart::Platform,
};

/// What it does by itself with a topic.
pub const FEATURES_WITH_TOPIC: Features =
    Features { name: "SNS and SQS", fan_out: FanOut::Broker, ..FEATURES };

/// An event that fits into a message with its copied attributes: they are bounded far below the difference.
const MOST_EVENT_BYTES: usize = 240_000;

/// Amazon SQS, and SNS where the configuration names a topic. Clones share connections and what they know.
#[derive(Clone)]
pub struct Sqs {
    inner: Arc<Inner>,
}

/// What every part of the crate works with.
struct Inner {
    config: SqsConfig,
    sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
    urls: queues::Urls,
    routes: routes::Routes,
}

impl Sqs {
    /// Declares as [`Subscriber::declare`] does, but waits no longer than `patience` for the answer: for a process that
    /// has customers to serve. What AWS has not taken by then is asked for until it takes it; until then nothing is
    /// confirmed, and each refusal is logged.
    ///
    /// # Errors
    /// Those of [`Subscriber::declare`], if AWS says so in time.
    pub async fn declare_within(
        &self,
        subscriptions: &[Subscription],
        patience: Duration,
    ) -> Result<(), QueueError> {
        self.inner.declare(subscriptions, patience).await
    }
}

impl Publisher for Sqs {
    fn publish<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), PublishError>>> {
        Box::pin(self.inner.publish(events))
    }
}

impl Subscriber for Sqs {
    /// With `create` it makes queues, topic and subscriptions; without, it looks the queues up, and a queue that
    /// infrastructure has not made is an error. While AWS is away it returns: then queues are made when AWS is back, and
    /// those that infrastructure has made are found when they are used.
    fn declare<'a>(&'a self, subscriptions: &'a [Subscription]) -> BoxFuture<'a, Result<(), QueueError>> {
        Box::pin(self.inner.declare(subscriptions, Duration::MAX))
    }

    fn consume(
        &self,
        subscription: Subscription,
        concurrency: usize,
        handler: Handler,
        stop: CancellationToken,
    ) -> BoxFuture<'static, Result<(), QueueError>> {
        Box::pin(consume::consume(self.inner.clone(), subscription, concurrency, handler, stop))
    }

    fn set_aside<'a>(
        &'a self,
        subscriptions: &'a [Subscription],
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<SetAside>, QueueError>> {
        Box::pin(self.inner.set_aside(subscriptions, most))
    }

    fn backlog<'a>(
        &'a self,
        subscriptions: &'a [Subscription],
    ) -> BoxFuture<'a, Result<Vec<QueueBacklog>, QueueError>> {
        Box::pin(self.inner.backlog(subscriptions))
    }
}
