//! Queues of a test's own in moto, events to publish, and a function that is told what to answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::config::{Credentials, Region};
use florin_kernel::corridor::Disposition;
use florin_kernel::event::{Data, Event, Pattern};
use florin_kernel::id::{Ids, Kind};
use florin_kernel::time::{Clock, Timestamp};
use florin_queue::port::{Handler, PublishError, Publisher, QueueError, Subscriber, Subscription};
use florin_servers::Part;
use florin_sqs::{Sqs, SqsConfig};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything takes here: a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const AUDIT: Subscription =
    Subscription { function: "audit.record_event", on: &[Pattern("florin.#")] };
pub(crate) const INVOICE: Subscription =
    Subscription { function: "invoicing.open_invoice", on: &[Pattern("florin.order.completed.v1")] };
pub(crate) const REPORT: Subscription =
    Subscription { function: "reporting.count_payments", on: &[Pattern("florin.payment.*.v1")] };

enum TestKind {}
impl Kind for TestKind {
    const PREFIX: &'static str = "t";
}

/// A name that nothing else has, in this run and any other.
pub(crate) fn unique() -> String {
    let id = Ids::new(Clock::System).new_id::<TestKind>().uuid();
    format!("t{}", id.simple())
}

/// What a configuration says that makes everything in moto; nothing where there is no moto.
pub(crate) fn config() -> Option<SqsConfig> {
    let endpoint = Part::Sqs.needed()?;
    Some(SqsConfig {
        endpoint: Some(endpoint),
        create: true,
        wait: Duration::from_secs(1),
        ..SqsConfig::new("eu-central-1", unique())
    })
}

/// The same with a topic.
pub(crate) fn config_with_topic() -> Option<SqsConfig> {
    let config = config()?;
    let topic = format!("arn:aws:sns:eu-central-1:123456789012:{}", config.prefix);
    Some(SqsConfig { topic_arn: Some(topic), ..config })
}

/// A client to look at the queues with.
pub(crate) fn raw(sqs: &Sqs) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder()
        .region(Region::new(sqs.config().region.clone()))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(sqs.config().endpoint.clone().unwrap());
    aws_sdk_sqs::Client::from_conf(config.build())
}

pub(crate) async fn url(sqs: &Sqs, queue: &str) -> String {
    let answer = raw(sqs).get_queue_url().queue_name(queue).send().await.unwrap();
    answer.queue_url.unwrap()
}

/// How many messages wait in a queue, and how many are received and not answered.
pub(crate) async fn depth(sqs: &Sqs, queue: &str) -> (u32, u32) {
    use aws_sdk_sqs::types::QueueAttributeName as Attribute;
    let call = raw(sqs).get_queue_attributes().queue_url(url(sqs, queue).await);
    let answer = call.attribute_names(Attribute::All).send().await.unwrap();
    let count = |name| answer.attributes()?.get(&name)?.parse().ok();
    (
        count(Attribute::ApproximateNumberOfMessages).unwrap(),
        count(Attribute::ApproximateNumberOfMessagesNotVisible).unwrap(),
    )
}

/// An event with all that Florin's own carry.
pub(crate) fn event(kind: &str, subject: &str) -> Event {
    Event {
        id: unique(),
        source: "/florin/payments".to_owned(),
        kind: kind.to_owned(),
        subject: Some(subject.to_owned()),
        time: Some(Timestamp::from_micros(1_790_000_000_123_456)),
        dataschema: None,
        extensions: BTreeMap::from([
            ("sequence".to_owned(), "3".to_owned()),
            ("tenant".to_owned(), "ten_a".to_owned()),
            ("traceparent".to_owned(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        ]),
        data: Data::Json {
            content_type: "application/json".to_owned(),
            value: json!({ "id": subject, "note": "Grüße \u{FFFE} \"quoted\" 🪙" }),
        },
    }
}

pub(crate) fn events(kind: &str, count: usize) -> Vec<Event> {
    (0..count).map(|n| event(kind, &format!("pay_{n}"))).collect()
}

pub(crate) async fn publish(sqs: &Sqs, events: &[Event]) {
    let results: Vec<Result<(), PublishError>> = sqs.publish(events).await;
    assert_eq!(results, vec![Ok(()); events.len()]);
}

/// A delivery that waits for its disposition.
pub(crate) struct Delivery {
    pub(crate) event: Event,
    answer: oneshot::Sender<Disposition>,
}

impl Delivery {
    pub(crate) fn answer(self, disposition: Disposition) {
        // The consumer may be gone already.
        let _ = self.answer.send(disposition);
    }

    pub(crate) fn done(self) -> Event {
        let event = self.event.clone();
        self.answer(Disposition::Done);
        event
    }

    pub(crate) fn subject(&self) -> &str {
        self.event.subject.as_deref().unwrap()
    }
}

/// A consumer whose function the test plays.
pub(crate) struct Playing {
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    pub(crate) stop: CancellationToken,
    pub(crate) consuming: JoinHandle<Result<(), QueueError>>,
}

/// A consumer that runs four handlers, and has received two more messages that wait for room.
pub(crate) struct Waiting {
    pub(crate) playing: Playing,
    pub(crate) running: Vec<Delivery>,
}

impl Playing {
    pub(crate) async fn waiting_with_two(sqs: &Sqs, subscription: Subscription) -> Waiting {
        publish(sqs, &events("florin.payment.captured.v1", 7)).await;
        let mut playing = Self::start(sqs, subscription, 4);
        let mut running = Vec::new();
        for _ in 0..4 {
            running.push(playing.next().await);
        }
        // Room for one: the next poll brings the three that are left.
        running.remove(0).done();
        running.push(playing.next().await);
        let queue = sqs.config().queue_name(subscription.function);
        while depth(sqs, &queue).await != (0, 6) {
            tokio::task::yield_now().await;
        }
        Waiting { playing, running }
    }

    pub(crate) fn start(sqs: &Sqs, subscription: Subscription, concurrency: usize) -> Self {
        Self::start_until(sqs, subscription, concurrency, CancellationToken::new())
    }

    pub(crate) fn start_until(
        sqs: &Sqs,
        subscription: Subscription,
        concurrency: usize,
        stop: CancellationToken,
    ) -> Self {
        let (delivered, deliveries) = mpsc::unbounded_channel();
        let handler: Handler = Arc::new(move |event| {
            let delivered = delivered.clone();
            Box::pin(async move {
                let (answer, answered) = oneshot::channel();
                if delivered.send(Delivery { event, answer }).is_err() {
                    return Disposition::NotAttempted;
                }
                answered.await.expect("the test answers, or lets the handler panic")
            })
        });
        let consuming = tokio::spawn(sqs.consume(subscription, concurrency, handler, stop.clone()));
        Self { deliveries, stop, consuming }
    }

    pub(crate) async fn next(&mut self) -> Delivery {
        let next = tokio::time::timeout(PATIENCE, self.deliveries.recv()).await;
        next.expect("a delivery in time").expect("a consumer that lives")
    }

    /// The next delivery, if it comes within this.
    pub(crate) async fn within(&mut self, span: Duration) -> Option<Delivery> {
        tokio::time::timeout(span, self.deliveries.recv()).await.ok().flatten()
    }

    /// Takes this many events, answers Done, and gives their identifiers in order.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.next().await.done().id);
        }
        ids.sort();
        ids
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.consuming).await;
        ended.expect("an end in time").expect("no panic").expect("no error");
    }
}

pub(crate) fn ids(events: &[Event]) -> Vec<String> {
    let mut ids: Vec<String> = events.iter().map(|event| event.id.clone()).collect();
    ids.sort();
    ids
}
