//! The consumer loop: every reaction of a service on its own queue.

use std::sync::Arc;

use florin_kernel::corridor::Disposition;
use florin_kernel::event::Event;
use florin_kernel::service::Service;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::port::{Handler, QueueError, Subscriber, Subscription};

/// Consumes the queue of each reaction of the service until `stop`, at most `concurrency` messages of each queue
/// at a time, and returns when the handlers that had begun are done and answered.
///
/// The queues are not declared here: declare those of every service before anything is published.
///
/// # Errors
/// A queue cannot be consumed as configured; the others stop too.
pub async fn run_consumers(
    service: Arc<Service>,
    subscriber: Arc<dyn Subscriber>,
    concurrency: usize,
    stop: CancellationToken,
) -> Result<(), QueueError> {
    // Of our own: one queue that cannot be consumed ends the consumers here, and nothing else of the process.
    let stop = stop.child_token();
    let mut consumers: FuturesUnordered<_> = Subscription::of(service.served())
        .map(|subscription| {
            let handler = handler(Arc::clone(&service), subscription.function);
            subscriber.consume(subscription, concurrency, handler, stop.clone())
        })
        .collect();
    let mut ended = Ok(());
    while let Some(consumer) = consumers.next().await {
        if let Err(error) = consumer {
            stop.cancel();
            // The first one says why; the others may only be its echo.
            ended = ended.and(Err(error));
        }
    }
    ended
}

/// Delivers what arrives on a function's queue to the function.
pub fn handler(service: Arc<Service>, function: &'static str) -> Handler {
    Arc::new(move |event| deliver(Arc::clone(&service), function, event))
}

fn deliver(service: Arc<Service>, function: &'static str, event: Event) -> BoxFuture<'static, Disposition> {
    Box::pin(async move {
        let id = event.id.clone();
        tracing::debug!(florin.function = function, event.id = id, "delivery");
        let disposition = service.deliver(function, event, None).await;
        tracing::debug!(
            florin.function = function,
            event.id = id,
            florin.disposition = disposition.name(),
            "delivered"
        );
        disposition
    })
}
