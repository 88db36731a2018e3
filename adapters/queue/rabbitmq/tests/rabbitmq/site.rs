//! One test's own corner of the broker, cleared away when the test is done, however it ends.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use florin_kernel::corridor::{Disposition, LADDER};
use florin_kernel::event::{Data, Event, Pattern};
use florin_queue::port::{Handler, PublishError, Publisher, QueueError, Subscriber, Subscription};
use florin_rabbitmq::{RabbitMq, RabbitMqConfig};
use florin_servers::Part;
use futures_util::FutureExt;
use lapin::options::{ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Far above what anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const PAYMENTS: Subscription =
    Subscription { function: "audit.record_payment", on: &[Pattern("florin.payment.*.v1")] };
pub(crate) const EVERYTHING: Subscription =
    Subscription { function: "audit.record_event", on: &[Pattern("florin.#")] };

static COUNTER: AtomicU32 = AtomicU32::new(0);

pub(crate) struct Site {
    pub(crate) url: String,
    pub(crate) prefix: String,
}

/// Runs a test on the broker that the environment names, in a corner of its own.
pub(crate) fn on_broker(test: impl AsyncFnOnce(&Site)) {
    let Some(url) = Part::RabbitMq.needed() else { return };
    on(url, test);
}

pub(crate) fn on(url: String, test: impl AsyncFnOnce(&Site)) {
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let site = Site { url, prefix: format!("test-{}-{number}.", std::process::id()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let ended = AssertUnwindSafe(test(&site)).catch_unwind().await;
        site.clear().await;
        if let Err(panic) = ended {
            resume_unwind(panic);
        }
    });
}

impl Site {
    /// Short pauses; everything else as it is by default.
    pub(crate) fn config(&self) -> RabbitMqConfig {
        RabbitMqConfig {
            prefix: self.prefix.clone(),
            reconnect_first: Duration::from_millis(10),
            reconnect_longest: Duration::from_millis(200),
            pause_first: Duration::from_millis(1),
            pause_longest: Duration::from_millis(5),
            ..RabbitMqConfig::new(&self.url)
        }
    }

    pub(crate) fn connect(&self) -> RabbitMq {
        RabbitMq::connect(self.config()).unwrap()
    }

    pub(crate) async fn declared(&self, subscriptions: &[Subscription]) -> RabbitMq {
        let broker = self.connect();
        broker.declare(subscriptions).await.unwrap();
        broker
    }

    /// A channel of the test's own, to do what only others do.
    pub(crate) async fn channel(&self) -> Channel {
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await.unwrap();
        connection.create_channel().await.unwrap()
    }

    pub(crate) fn queue(&self, subscription: Subscription) -> String {
        format!("{}{}", self.prefix, subscription.function)
    }

    /// How many messages lie in a queue.
    pub(crate) async fn depth(&self, queue: &str) -> u32 {
        let passive = QueueDeclareOptions { passive: true, ..Default::default() };
        let asked = self.channel().await.queue_declare(queue.into(), passive, FieldTable::default()).await;
        asked.unwrap().message_count()
    }

    /// A function's queue with its bindings, made by others as Florin makes it.
    pub(crate) async fn make_queue(&self, channel: &Channel, subscription: Subscription) {
        let queue = self.queue(subscription);
        let text = |value: &str| AMQPValue::LongString(value.into());
        let arguments = [
            ("x-queue-type", text("quorum")),
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(&format!("{queue}.dead"))),
            ("x-dead-letter-strategy", text("at-least-once")),
            ("x-overflow", text("reject-publish")),
            ("x-delivery-limit", AMQPValue::LongLongInt(100)),
        ];
        let mut table = FieldTable::default();
        for (name, value) in arguments {
            table.insert(name.into(), value);
        }
        let options = QueueDeclareOptions { durable: true, ..Default::default() };
        channel.queue_declare(queue.clone().into(), options, table).await.unwrap();
        for pattern in subscription.on {
            let (exchange, options) = (format!("{}florin.events", self.prefix), QueueBindOptions::default());
            let bound = channel.queue_bind(
                queue.clone().into(),
                exchange.into(),
                pattern.0.into(),
                options,
                FieldTable::default(),
            );
            bound.await.unwrap();
        }
    }

    async fn clear(&self) {
        for subscription in [PAYMENTS, EVERYTHING] {
            let queue = self.queue(subscription);
            let ladder = LADDER.into_iter().map(|step| format!("{queue}.retry.{}", step.as_secs()));
            for name in ladder.chain([queue.clone(), format!("{queue}.dead")]) {
                let deleted =
                    self.channel().await.queue_delete(name.into(), QueueDeleteOptions::default()).await;
                deleted.unwrap();
            }
        }
        let exchange = format!("{}florin.events", self.prefix).into();
        self.channel().await.exchange_delete(exchange, ExchangeDeleteOptions::default()).await.unwrap();
    }
}

pub(crate) fn event(id: impl ToString) -> Event {
    Event {
        id: id.to_string(),
        source: "/florin/payments".to_owned(),
        kind: "florin.payment.captured.v1".to_owned(),
        subject: Some("pay_1".to_owned()),
        time: Some("2026-11-24T06:00:00Z".parse().unwrap()),
        dataschema: None,
        extensions: BTreeMap::from([("sequence".to_owned(), "3".to_owned())]),
        data: Data::Json {
            content_type: "application/json".to_owned(),
            value: serde_json::json!({"id": "pay_1", "amount": 1250, "currency": "EUR"}),
        },
    }
}

/// Publishes as the relay does: what is not confirmed is published again.
pub(crate) async fn publish_all(publisher: &dyn Publisher, events: &[Event]) {
    for batch in events.chunks(256) {
        let mut left = batch.to_vec();
        let publishing = async {
            while !left.is_empty() {
                let results = publisher.publish(&left).await;
                let again = left.drain(..).zip(results).filter_map(|(event, result)| match result {
                    Ok(()) => None,
                    Err(PublishError::NotConfirmed(_)) => Some(event),
                    Err(PublishError::Refused(why)) => panic!("refused: {why}"),
                });
                left = again.collect();
            }
        };
        timeout(PATIENCE, publishing).await.expect("the broker confirms in the end");
    }
}

/// A consumer whose handler does what the test says, and tells the test of every event.
pub(crate) struct Consumer {
    seen: UnboundedReceiver<Event>,
    times: BTreeMap<String, usize>,
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<Result<(), QueueError>>,
}

pub(crate) fn consume<F>(
    broker: &RabbitMq,
    subscription: Subscription,
    concurrency: usize,
    answer: impl Fn(Event) -> F + Send + Sync + 'static,
) -> Consumer
where
    F: Future<Output = Disposition> + Send + 'static,
{
    let (tell, seen): (UnboundedSender<Event>, _) = unbounded_channel();
    let handler: Handler = Arc::new(move |event: Event| {
        let (tell, answering) = (tell.clone(), answer(event.clone()));
        async move {
            // The test may have seen enough.
            let _ = tell.send(event);
            answering.await
        }
        .boxed()
    });
    let stop = CancellationToken::new();
    let task = tokio::spawn(broker.consume(subscription, concurrency, handler, stop.clone()));
    Consumer { seen, times: BTreeMap::new(), stop, task }
}

impl Consumer {
    pub(crate) async fn next(&mut self) -> Event {
        let event = timeout(PATIENCE, self.seen.recv()).await.expect("an event comes in time").unwrap();
        *self.times.entry(event.id.clone()).or_default() += 1;
        event
    }

    /// Waits until every one of these ids was seen since the consumer began, one that is named twice at least
    /// twice; how many deliveries there were so far.
    pub(crate) async fn see_all(&mut self, ids: impl IntoIterator<Item = String>) -> usize {
        let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
        for id in ids {
            *wanted.entry(id).or_default() += 1;
        }
        let seen = async {
            wanted.retain(|id, times| self.times.get(id).is_none_or(|seen| seen < times));
            while !wanted.is_empty() {
                let id = self.next().await.id;
                if wanted.get(&id).is_some_and(|times| self.times[&id] >= *times) {
                    wanted.remove(&id);
                }
            }
        };
        if timeout(PATIENCE, seen).await.is_err() {
            panic!("never came, or not as often: {wanted:?}");
        }
        self.times.values().sum()
    }

    pub(crate) async fn stopped(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.task).await.expect("it stops in time").unwrap().unwrap();
    }
}

pub(crate) fn ids(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    range.map(|number| number.to_string())
}
