//! Queues that are made, or found.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use florin_kernel::event::Event;
use florin_queue::port::{PublishError, Publisher, Subscriber, Subscription};
use florin_sqs::{Sqs, SqsConfig};
use futures_util::poll;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::fake::{Call, Fake};
use crate::world::{AUDIT, INVOICE, PATIENCE, Playing, config, events, publish, raw, url};

async fn attributes(sqs: &Sqs, queue: &str) -> HashMap<Attribute, String> {
    let call = raw(sqs).get_queue_attributes().queue_url(url(sqs, queue).await);
    call.attribute_names(Attribute::All).send().await.unwrap().attributes.unwrap()
}

#[tokio::test]
async fn a_declared_queue_keeps_messages_for_14_days_and_gives_up_after_100_deliveries() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    sqs.declare(&[AUDIT]).await.unwrap();
    let queue = sqs.config().queue_name(AUDIT.function);
    let dead = attributes(&sqs, &format!("{queue}-dead")).await;
    let made = attributes(&sqs, &queue).await;
    assert_eq!(made[&Attribute::MessageRetentionPeriod], "1209600");
    assert_eq!(dead[&Attribute::MessageRetentionPeriod], "1209600");
    assert_eq!(made[&Attribute::VisibilityTimeout], "60");
    let redrive: Value = serde_json::from_str(&made[&Attribute::RedrivePolicy]).unwrap();
    assert_eq!(redrive["maxReceiveCount"], json!(100));
    assert_eq!(redrive["deadLetterTargetArn"], json!(dead[&Attribute::QueueArn]));
}

#[tokio::test]
async fn a_queue_that_is_there_gets_the_attributes_of_now() {
    let Some(config) = config() else { return };
    Sqs::connect(config.clone()).await.declare(&[AUDIT]).await.unwrap();
    let changed = Sqs::connect(SqsConfig { visibility: Duration::from_secs(90), ..config }).await;
    changed.declare(&[AUDIT]).await.unwrap();
    let made = attributes(&changed, &changed.config().queue_name(AUDIT.function)).await;
    assert_eq!(made[&Attribute::VisibilityTimeout], "90");
}

#[tokio::test]
async fn where_infrastructure_makes_the_queues_a_missing_one_is_named() {
    let Some(config) = config() else { return };
    Sqs::connect(config.clone()).await.declare(&[AUDIT]).await.unwrap();
    let sqs = Sqs::connect(SqsConfig { create: false, ..config }).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let error = sqs.declare(&[AUDIT, INVOICE]).await.unwrap_err().to_string();
    assert!(error.contains(&sqs.config().queue_name(INVOICE.function)), "{error}");
}

#[tokio::test]
async fn a_topic_of_another_account_is_not_made() {
    let Some(config) = config() else { return };
    let topic_arn = Some("arn:aws:sns:eu-central-1:999999999999:florin".to_owned());
    let sqs = Sqs::connect(SqsConfig { topic_arn, ..config }).await;
    let error = sqs.declare(&[AUDIT]).await.unwrap_err().to_string();
    assert!(error.contains("999999999999"), "{error}");
}

#[tokio::test]
async fn a_function_whose_queue_would_have_a_bad_name_is_refused_before_anything_is_made() {
    let sqs = Sqs::connect(SqsConfig::new("eu-central-1", "x".repeat(60))).await;
    let long = Subscription { function: "audit.record_every_event", on: AUDIT.on };
    assert!(sqs.declare(&[long]).await.unwrap_err().to_string().contains("75 characters"));
    assert!(sqs.route(&[long]).is_err());
}

/// What an AWS answers that has whatever it is asked for.
fn granted(call: &Call) -> (u16, String) {
    let answer = match call.operation.as_str() {
        "AmazonSQS.GetQueueAttributes" => json!({ "Attributes": { "QueueArn": "arn:aws:sqs:x:1:q" } }),
        "AmazonSQS.SendMessageBatch" => json!({
            "Successful": [{ "Id": "0", "MessageId": "m", "MD5OfMessageBody": "0" }],
            "Failed": [],
        }),
        _ => json!({ "QueueUrl": "http://127.0.0.1/1/q" }),
    };
    (200, answer.to_string())
}

/// An AWS without a right.
fn refused() -> (u16, String) {
    (403, json!({ "__type": "AccessDeniedException" }).to_string())
}

/// An AWS that is asked for a queue that is not there.
fn missing() -> (u16, String) {
    (400, json!({ "__type": "QueueDoesNotExist" }).to_string())
}

/// An AWS that is away.
fn away() -> (u16, String) {
    (503, "{}".to_owned())
}

/// An AWS that is away until the test says so, and then has whatever it is asked for.
async fn coming_back() -> (Fake, Arc<AtomicBool>) {
    let back = Arc::new(AtomicBool::new(false));
    let is_back = back.clone();
    let answer = move |call: Call| if is_back.load(Ordering::SeqCst) { granted(&call) } else { away() };
    (Fake::start(answer).await, back)
}

/// Publishes until it is confirmed.
async fn confirmed(sqs: &Sqs, events: &[Event]) {
    let all = async {
        while sqs.publish(events).await != [Ok(())] {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, all).await.expect("the queue is made in time");
}

#[tokio::test]
async fn queues_that_could_not_be_made_are_made_when_aws_is_back_and_until_then_nothing_is_published() {
    let (fake, back) = coming_back().await;
    let sqs = Sqs::connect(SqsConfig { create: true, ..fake.config() }).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    back.store(true, Ordering::SeqCst);
    // AWS would take it by now, and a topic might: but the queue is not made.
    let one = events("florin.payment.captured.v1", 1);
    let results = sqs.publish(&one).await;
    assert!(matches!(results[..], [Err(PublishError::NotConfirmed(_))]), "{results:?}");
    confirmed(&sqs, &one).await;
}

#[tokio::test]
async fn while_aws_takes_its_time_to_make_a_queue_nothing_is_published() {
    let (fake, back) = coming_back().await;
    back.store(true, Ordering::SeqCst);
    let sqs = Sqs::connect(SqsConfig { create: true, ..fake.config() }).await;
    let one = events("florin.payment.captured.v1", 1);
    let subscriptions = [AUDIT];
    let mut declaring = pin!(sqs.declare(&subscriptions));
    assert!(poll!(declaring.as_mut()).is_pending());
    let results = sqs.publish(&one).await;
    assert!(matches!(results[..], [Err(PublishError::NotConfirmed(_))]), "{results:?}");
    declaring.await.unwrap();
    publish(&sqs, &one).await;
}

/// An AWS that answers so first and then grants every call, and what it was asked.
async fn granting_after(first: Vec<(u16, String)>) -> (Fake, Arc<Mutex<Vec<String>>>) {
    let operations = Arc::new(Mutex::new(Vec::new()));
    let asked = operations.clone();
    let mut first = first.into_iter();
    let fake = Fake::start(move |call| {
        let answer = first.next().unwrap_or_else(|| granted(&call));
        asked.lock().unwrap().push(call.operation.trim_start_matches("AmazonSQS.").to_owned());
        answer
    })
    .await;
    (fake, operations)
}

#[tokio::test]
async fn a_declaration_that_is_refused_late_is_made_again_and_until_it_is_taken_nothing_is_published() {
    let (fake, operations) = granting_after(vec![refused()]).await;
    fake.withhold(|_| true);
    let sqs = Sqs::connect(SqsConfig { create: true, ..fake.config() }).await;
    sqs.declare_within(&[AUDIT], Duration::ZERO).await.unwrap();
    fake.withhold(|_| false);
    confirmed(&sqs, &events("florin.payment.captured.v1", 1)).await;
    let made = ["CreateQueue", "GetQueueAttributes", "CreateQueue", "GetQueueAttributes"];
    let all = [&["CreateQueue"][..], &made, &["SendMessageBatch"]].concat();
    assert_eq!(*operations.lock().unwrap(), all);
}

#[tokio::test]
async fn a_queue_that_is_missed_late_is_looked_up_until_it_is_there_and_nothing_is_published_before() {
    // Then AWS is away, for as many calls as the SDK makes of one.
    let first = [vec![missing()], vec![away(); 3]].concat();
    let (fake, operations) = granting_after(first).await;
    fake.withhold(|_| true);
    let sqs = Sqs::connect(fake.config()).await;
    sqs.declare_within(&[INVOICE], Duration::ZERO).await.unwrap();
    fake.withhold(|_| false);
    // Not what the missing queue wants: only its declaration looks that up.
    sqs.route(&[AUDIT]).unwrap();
    confirmed(&sqs, &events("florin.payment.captured.v1", 1)).await;
    let all = [&["GetQueueUrl"; 6][..], &["SendMessageBatch"]].concat();
    assert_eq!(*operations.lock().unwrap(), all);
}

#[tokio::test]
async fn a_declaration_that_is_refused_in_time_is_an_error_and_holds_up_nothing() {
    let (fake, _) = granting_after(vec![refused()]).await;
    let sqs = Sqs::connect(SqsConfig { create: true, ..fake.config() }).await;
    let error = sqs.declare_within(&[AUDIT], PATIENCE).await.unwrap_err().to_string();
    assert!(error.contains("AccessDeniedException"), "{error}");
    sqs.declare(&[AUDIT]).await.unwrap();
    publish(&sqs, &events("florin.payment.captured.v1", 1)).await;
}

#[tokio::test]
async fn a_declaration_that_nobody_waits_for_any_longer_goes_on() {
    let (fake, back) = coming_back().await;
    back.store(true, Ordering::SeqCst);
    let sqs = Sqs::connect(SqsConfig { create: true, ..fake.config() }).await;
    let subscriptions = [AUDIT];
    assert!(poll!(sqs.declare(&subscriptions)).is_pending());
    confirmed(&sqs, &events("florin.payment.captured.v1", 1)).await;
}

#[tokio::test]
async fn a_consumer_that_misses_its_queue_while_that_is_made_goes_on() {
    let (asked, received) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let fake = Fake::start({
        let (asked, received) = (asked.clone(), received.clone());
        move |call| match call.operation.as_str() {
            "AmazonSQS.GetQueueUrl" => {
                asked.notify_one();
                missing()
            }
            "AmazonSQS.ReceiveMessage" => {
                received.notify_one();
                (200, "{}".to_owned())
            }
            _ => granted(&call),
        }
    })
    .await;
    fake.withhold(|_| true);
    let sqs = Sqs::connect(SqsConfig { create: true, ..fake.config() }).await;
    sqs.declare_within(&[AUDIT], Duration::ZERO).await.unwrap();
    let consumer = Playing::start(&sqs, AUDIT, 1);
    timeout(PATIENCE, asked.notified()).await.expect("the consumer asks for its queue");
    // The queue is made before the consumer hears that there is none.
    fake.withhold(|operation| operation == "AmazonSQS.GetQueueUrl");
    confirmed(&sqs, &events("florin.payment.captured.v1", 1)).await;
    fake.withhold(|_| false);
    timeout(PATIENCE, received.notified()).await.expect("the consumer goes on");
    consumer.end().await;
}

#[tokio::test]
async fn queues_that_are_there_are_found_when_aws_is_back() {
    let (fake, back) = coming_back().await;
    let sqs = Sqs::connect(fake.config()).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    back.store(true, Ordering::SeqCst);
    publish(&sqs, &events("florin.payment.captured.v1", 1)).await;
}
