//! The embedded queue: a durable broker in a file of its own, for a laptop and for one small machine.
//!
//! It stands behind the same port as RabbitMQ and SQS and keeps the same promises: what was published for a
//! declared subscription is delivered at least once, to one consumer at a time, whichever process dies when.
//! A message is held by lease, and a lease ends by the given clock.

mod claim;
mod consume;
mod depth;
mod held;
mod lock;
mod pause;
mod publish;
mod set_aside;
mod store;
mod subscriptions;

use std::path::Path;
use std::sync::Arc;

use florin_kernel::event::Event;
use florin_kernel::time::Clock;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use depth::Depth;
pub use lock::ServeLock;

use crate::features::{Delay, FanOut, Features, Restart};
use crate::port::{
    Handler, PublishError, Publisher, QueueBacklog, QueueError, SetAside, Subscriber, Subscription,
};
pub use store::FILE;
use store::Store;

/// What it does by itself.
pub const FEATURES: Features = Features {
    name: "embedded",
    fan_out: FanOut::Broker,
    delay: Delay::Instant,
    ordered: true,
    delivery_limit: Some(held::MOST_LOST),
    max_event_bytes: None,
    restart: Restart::Kept,
};

/// A broker whose store is the file `queue.db` of the data directory.
#[derive(Debug)]
pub struct EmbeddedQueue {
    store: Arc<Store>,
}

impl EmbeddedQueue {
    /// Opens the directory's queue, making and migrating it as needed. Any number of processes may have it open;
    /// the one that serves takes a [`ServeLock`] first and calls [`EmbeddedQueue::take_over`] afterwards.
    ///
    /// # Errors
    /// The directory or the file in it cannot be used, or was migrated by a newer release.
    pub async fn open(data_directory: &Path, clock: Clock) -> Result<Arc<Self>, QueueError> {
        Ok(Arc::new(Self { store: Arc::new(Store::open(data_directory, clock).await?) }))
    }

    /// Gives back at once what a killed process held, instead of when its leases end; how many messages.
    ///
    /// The lock shows that nobody else serves this directory. A consumer that joined without it would see its
    /// messages delivered again, which changes nothing twice.
    ///
    /// # Errors
    /// The store failed.
    pub async fn take_over(&self, _lock: &ServeLock) -> Result<u64, QueueError> {
        let given_back = self.store.give_back_all().await;
        given_back.map_err(|error| QueueError(format!("the queue's leases cannot be taken over: {error}")))
    }

    /// What waits in each declared queue.
    ///
    /// # Errors
    /// The store failed.
    pub async fn depth(&self) -> Result<Vec<Depth>, QueueError> {
        self.store.depth().await.map_err(|error| QueueError(format!("the queue cannot be counted: {error}")))
    }

    /// Closes the store; call it when nobody publishes or consumes any more.
    pub async fn close(&self) {
        self.store.db.close().await;
    }
}

impl Publisher for EmbeddedQueue {
    fn publish<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), PublishError>>> {
        Box::pin(self.store.publish(events))
    }
}

impl Subscriber for EmbeddedQueue {
    fn declare<'a>(&'a self, subscriptions: &'a [Subscription]) -> BoxFuture<'a, Result<(), QueueError>> {
        Box::pin(async move {
            let declared = self.store.declare(subscriptions).await;
            declared.map_err(|error| QueueError(format!("the queues cannot be declared: {error}")))
        })
    }

    fn consume(
        &self,
        subscription: Subscription,
        concurrency: usize,
        handler: Handler,
        stop: CancellationToken,
    ) -> BoxFuture<'static, Result<(), QueueError>> {
        let store = Arc::clone(&self.store);
        Box::pin(async move {
            consume::consume(&store, subscription.function, concurrency.max(1), &handler, &stop).await;
            Ok(())
        })
    }

    fn set_aside<'a>(
        &'a self,
        subscriptions: &'a [Subscription],
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<SetAside>, QueueError>> {
        Box::pin(async move {
            let listed = self.store.set_aside(subscriptions, most).await;
            listed.map_err(|error| QueueError(format!("the queue cannot be read: {error}")))
        })
    }

    fn backlog<'a>(
        &'a self,
        subscriptions: &'a [Subscription],
    ) -> BoxFuture<'a, Result<Vec<QueueBacklog>, QueueError>> {
        Box::pin(async move {
            let depths = self.depth().await?.into_iter();
            let wanted = depths.filter(|depth| subscriptions.iter().any(|s| s.function == depth.queue));
            Ok(wanted
                .map(|Depth { queue, messages, oldest, .. }| QueueBacklog {
                    function: queue,
                    messages,
                    knows_age: true,
                    oldest,
                })
                .collect())
        })
    }
}
