//! Events, subscriptions, and a consumer that tells the test what it was given.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_kernel::db::{Db, DbConfig};
use florin_kernel::event::{Data, Event, Pattern};
use florin_kernel::time::{Clock, Timestamp};
use florin_queue::embedded::EmbeddedQueue;
use florin_queue::port::{Handler, Publisher, Subscriber, Subscription};
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes: only a test that fails waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const INVOICES: Subscription =
    Subscription { function: "invoicing.open_invoice", on: &[Pattern("florin.payment.*.v1")] };
pub(crate) const AUDIT: Subscription =
    Subscription { function: "audit.record_event", on: &[Pattern("florin.#")] };

pub(crate) fn clock() -> Clock {
    Clock::standing_at(Timestamp::from_micros(1_780_000_000_000_000))
}

pub(crate) async fn open(directory: &Path, clock: &Clock) -> Arc<EmbeddedQueue> {
    EmbeddedQueue::open(directory, clock.clone()).await.unwrap()
}

/// A queue with both subscriptions declared.
pub(crate) async fn declared(directory: &Path, clock: &Clock) -> Arc<EmbeddedQueue> {
    let queue = open(directory, clock).await;
    queue.declare(&[INVOICES, AUDIT]).await.unwrap();
    queue
}

pub(crate) fn event(id: &str) -> Event {
    of_kind(id, "florin.payment.captured.v1")
}

pub(crate) fn of_kind(id: &str, kind: &str) -> Event {
    Event {
        id: id.to_owned(),
        source: "/florin/payments".to_owned(),
        kind: kind.to_owned(),
        subject: Some("pay_1".to_owned()),
        time: Some(Timestamp::from_micros(1_780_000_000_000_000)),
        dataschema: None,
        extensions: [("sequence".to_owned(), "3".to_owned()), ("tenant".to_owned(), "acme".to_owned())]
            .into(),
        data: Data::Json {
            content_type: "application/json".to_owned(),
            value: serde_json::json!({ "id": "pay_1", "note": "a \u{0} and \"quotes\"" }),
        },
    }
}

pub(crate) async fn publish(queue: &EmbeddedQueue, ids: &[&str]) {
    let events: Vec<Event> = ids.iter().map(|id| event(id)).collect();
    for published in queue.publish(&events).await {
        published.unwrap();
    }
}

/// The store as a stranger sees it.
pub(crate) async fn store(directory: &Path) -> Db {
    let url = format!("sqlite://{}", directory.join("queue.db").display());
    DbConfig::new(url, "queue").connect().await.unwrap()
}

/// How many messages a queue holds.
pub(crate) async fn depth(queue: &EmbeddedQueue, of: Subscription) -> u64 {
    let all = queue.depth().await.unwrap();
    all.iter().find(|depth| depth.queue == of.function).map_or(0, |depth| depth.messages)
}

/// A consumer in a task of its own.
pub(crate) struct Consumer {
    given: mpsc::UnboundedReceiver<Event>,
    pub(crate) stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Consumer {
    /// Consumes with a handler that the test writes.
    pub(crate) fn of<H>(queue: &Arc<EmbeddedQueue>, of: Subscription, concurrency: usize, handle: H) -> Self
    where
        H: Fn(Event) -> BoxFuture<'static, Disposition> + Send + Sync + 'static,
    {
        let (give, given) = mpsc::unbounded_channel();
        let handler: Handler = Arc::new(move |event: Event| {
            give.send(event.clone()).ok();
            handle(event)
        });
        let stop = CancellationToken::new();
        let consuming = queue.consume(of, concurrency, handler, stop.clone());
        let task = tokio::spawn(async move { consuming.await.unwrap() });
        Self { given, stop, task }
    }

    /// Consumes one by one; the answer is known at once.
    pub(crate) fn answering<A>(queue: &Arc<EmbeddedQueue>, of: Subscription, answer: A) -> Self
    where
        A: Fn(&Event) -> Disposition + Send + Sync + 'static,
    {
        Self::of(queue, of, 1, move |event| {
            let disposition = answer(&event);
            Box::pin(async move { disposition })
        })
    }

    pub(crate) fn done(queue: &Arc<EmbeddedQueue>, of: Subscription) -> Self {
        Self::answering(queue, of, |_| Disposition::Done)
    }

    /// One whose handlers never end.
    pub(crate) fn stuck(queue: &Arc<EmbeddedQueue>, of: Subscription) -> Self {
        Self::of(queue, of, 1, |_| Box::pin(std::future::pending()))
    }

    /// The next event a handler was given.
    pub(crate) async fn next(&mut self) -> Event {
        let next = tokio::time::timeout(PATIENCE, self.given.recv()).await;
        next.expect("an event is delivered").expect("the consumer runs")
    }

    /// The identifiers of the next events.
    pub(crate) async fn next_ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.next().await.id);
        }
        ids
    }

    /// Stops and waits until everything is answered; what was given and not looked at.
    pub(crate) async fn stop(mut self) -> Vec<String> {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("the consumer stops").unwrap();
        let mut rest = Vec::new();
        while let Ok(event) = self.given.try_recv() {
            rest.push(event.id);
        }
        rest
    }

    /// Ends at once, handlers and all, as a killed process does.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}
