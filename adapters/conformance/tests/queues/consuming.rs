//! A consumer at work, and a log of what it handled that a test can wait for.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use florin_conformance::wait::within;
use florin_kernel::corridor::Disposition;
use florin_kernel::service::Service;
use florin_queue::consumer::handler;
use florin_queue::port::{Handler, Subscriber, Subscription};
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a broker hears of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is dealt with.
    Taken,
    /// It shall come again after a while.
    Later,
    /// Nobody tried.
    NotAttempted,
}

impl From<&Disposition> for Outcome {
    fn from(disposition: &Disposition) -> Self {
        match disposition {
            Disposition::Done | Disposition::Duplicate | Disposition::Permanent { .. } => Self::Taken,
            Disposition::Retry { .. } => Self::Later,
            Disposition::NotAttempted => Self::NotAttempted,
        }
    }
}

/// One delivery that was handled.
#[derive(Clone, Debug)]
pub(crate) struct Handled {
    pub(crate) id: String,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) outcome: Outcome,
    /// After how long the broker was asked to bring it again, where the test is the broker.
    pub(crate) asked: Option<Duration>,
}

/// Every delivery that was handled, in the order they began.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<watch::Sender<Vec<Handled>>>);

impl Log {
    pub(crate) fn add(&self, id: String, began: Instant, outcome: Outcome, asked: Option<Duration>) {
        let handled = Handled { id, began, ended: Instant::now(), outcome, asked };
        self.0.send_modify(|log| {
            let place = log.partition_point(|one| one.began <= began);
            log.insert(place, handled);
        });
    }
}

/// A running consumer.
pub(crate) struct Consuming {
    log: Log,
    end: BoxFuture<'static, ()>,
}

impl Consuming {
    pub(crate) fn new(log: Log, end: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { log, end: Box::pin(end) }
    }

    /// Takes from a broker, as a `florin` process does.
    pub(crate) fn pull(
        subscriber: &dyn Subscriber,
        service: &Arc<Service>,
        subscription: Subscription,
        concurrency: usize,
    ) -> Self {
        let log = Log::default();
        let deliver = handler(Arc::clone(service), subscription.function);
        let telling: Handler = {
            let log = log.clone();
            Arc::new(move |event| {
                let (log, id, began) = (log.clone(), event.id.clone(), Instant::now());
                let delivering = deliver(event);
                Box::pin(async move {
                    let disposition = delivering.await;
                    log.add(id, began, Outcome::from(&disposition), None);
                    disposition
                })
            })
        };
        let stop = CancellationToken::new();
        let consuming = tokio::spawn(subscriber.consume(subscription, concurrency, telling, stop.clone()));
        Self::new(log, async move {
            stop.cancel();
            consuming.await.expect("no panic").expect("a queue that can be consumed");
        })
    }

    /// Waits until the log says so.
    pub(crate) async fn until(&self, what: &str, so: impl Fn(&[Handled]) -> bool) {
        let mut log = self.log.0.subscribe();
        within(what, log.wait_for(|log| so(log))).await.expect("the log is ours");
    }

    /// Waits until a delivery was handled so often; each time.
    pub(crate) async fn handled(&self, id: &str, times: usize) -> Vec<Handled> {
        self.until(&format!("{id} is handled {times} times"), |log| of(log, id).len() >= times).await;
        of(&self.log.0.borrow(), id)
    }

    /// How often a delivery was handled so far.
    pub(crate) fn times(&self, id: &str) -> usize {
        of(&self.log.0.borrow(), id).len()
    }

    /// Stops it and waits until everything is answered; all that it handled.
    pub(crate) async fn stop(self) -> Vec<Handled> {
        within("the consumer's end", self.end).await;
        self.log.0.borrow().clone()
    }
}

fn of(log: &[Handled], id: &str) -> Vec<Handled> {
    log.iter().filter(|one| one.id == id).cloned().collect()
}
