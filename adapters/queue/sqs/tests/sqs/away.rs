//! SQS is away, or takes a call back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_sqs::Sqs;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::fake::{Call, Fake};
use crate::world::{AUDIT, PATIENCE, Playing, event};

const FOUND: &str = r#"{"QueueUrl":"http://127.0.0.1/1/q"}"#;

fn message(subject: &str) -> Value {
    let event = event("florin.payment.captured.v1", subject);
    let body = florin_kernel::cloudevents::encode_sqs(&event).unwrap().body;
    json!({ "MessageId": subject, "ReceiptHandle": format!("receipt of {subject}"), "Body": body })
}

/// The receipts of a batch call.
fn receipts(call: &Call) -> Vec<String> {
    let body: Value = serde_json::from_str(&call.body).unwrap();
    let entries = body["Entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["ReceiptHandle"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_consumer_goes_on_when_sqs_is_back() {
    // Once for the queue's address and once for messages: three tries of the SDK each, and then the consumer's own.
    let (mut address, mut receives) = (0, 0);
    let fake = Fake::start(move |call| match call.operation.as_str() {
        "AmazonSQS.GetQueueUrl" => {
            address += 1;
            if address <= 3 { (503, "{}".to_owned()) } else { (200, FOUND.to_owned()) }
        }
        "AmazonSQS.ReceiveMessage" => {
            receives += 1;
            match receives {
                1..=3 => (503, "{}".to_owned()),
                4 => (200, json!({ "Messages": [message("pay_1")] }).to_string()),
                _ => (200, "{}".to_owned()),
            }
        }
        _ => (200, json!({ "Successful": [], "Failed": [] }).to_string()),
    })
    .await;
    let sqs = Sqs::connect(fake.config()).await;
    let mut playing = Playing::start(&sqs, AUDIT, 1);
    assert_eq!(playing.next().await.done().subject.as_deref(), Some("pay_1"));
    playing.end().await;
}

#[tokio::test]
async fn a_consumer_that_waits_for_sqs_ends_at_stop() {
    let fake = Fake::start(|_| (503, "{}".to_owned())).await;
    let sqs = Sqs::connect(fake.config()).await;
    let mut playing = Playing::start(&sqs, AUDIT, 1);
    assert!(playing.within(Duration::from_secs(1)).await.is_none());
    playing.end().await;
}

#[tokio::test]
async fn a_message_that_could_not_be_deleted_is_deleted_again_and_only_it() {
    let deleted = Arc::new(Mutex::new(Vec::new()));
    let (log, mut receives) = (deleted.clone(), 0);
    let fake = Fake::start(move |call| match call.operation.as_str() {
        "AmazonSQS.GetQueueUrl" => (200, FOUND.to_owned()),
        "AmazonSQS.ReceiveMessage" => {
            receives += 1;
            let messages = if receives == 1 { vec![message("pay_1"), message("pay_2")] } else { Vec::new() };
            (200, json!({ "Messages": messages }).to_string())
        }
        "AmazonSQS.DeleteMessageBatch" => {
            let receipts = receipts(&call);
            let mut log = log.lock().unwrap();
            let again = log.iter().flatten().any(|receipt| receipt == "receipt of pay_2");
            let fails = receipts.iter().position(|receipt| !again && receipt == "receipt of pay_2");
            let failed: Vec<Value> = fails
                .map(
                    |place| json!({ "Id": place.to_string(), "SenderFault": false, "Code": "InternalError" }),
                )
                .into_iter()
                .collect();
            log.push(receipts);
            (200, json!({ "Successful": [], "Failed": failed }).to_string())
        }
        other => panic!("{other}"),
    })
    .await;
    let sqs = Sqs::connect(fake.config()).await;
    let mut playing = Playing::start(&sqs, AUDIT, 2);
    let both = [playing.next().await, playing.next().await];
    for delivery in both {
        delivery.done();
    }
    playing.end().await;
    let deleted = deleted.lock().unwrap();
    let mut all: Vec<&str> = deleted.iter().flatten().map(String::as_str).collect();
    assert_eq!(deleted.last().unwrap(), &["receipt of pay_2"]);
    all.sort_unstable();
    assert_eq!(all, ["receipt of pay_1", "receipt of pay_2", "receipt of pay_2"]);
}

#[tokio::test]
async fn a_message_that_came_with_the_stop_goes_back_at_once() {
    let stop = CancellationToken::new();
    let (given_back, stopping) = (Arc::new(Mutex::new(Vec::new())), stop.clone());
    let log = given_back.clone();
    let fake = Fake::start(move |call| match call.operation.as_str() {
        "AmazonSQS.GetQueueUrl" => (200, FOUND.to_owned()),
        "AmazonSQS.ReceiveMessage" => {
            stopping.cancel();
            // So often that it would rest, had it been tried in vain.
            let mut often = message("pay_1");
            often["Attributes"] = json!({ "ApproximateReceiveCount": "30" });
            (200, json!({ "Messages": [often] }).to_string())
        }
        "AmazonSQS.ChangeMessageVisibilityBatch" => {
            let body: Value = serde_json::from_str(&call.body).unwrap();
            let entry = &body["Entries"][0];
            log.lock().unwrap().push((entry["ReceiptHandle"].clone(), entry["VisibilityTimeout"].clone()));
            (200, json!({ "Successful": [], "Failed": [] }).to_string())
        }
        other => panic!("{other}"),
    })
    .await;
    let sqs = Sqs::connect(fake.config()).await;
    let mut playing = Playing::start_until(&sqs, AUDIT, 1, stop);
    assert!(playing.within(PATIENCE).await.is_none(), "a handler began after stop");
    playing.end().await;
    assert_eq!(*given_back.lock().unwrap(), [(json!("receipt of pay_1"), json!(0))]);
}

#[tokio::test]
async fn what_was_delivered_often_and_could_not_be_attempted_rests_before_it_comes_again() {
    let (told, mut rests) = tokio::sync::mpsc::unbounded_channel();
    let mut receives = 0;
    let fake = Fake::start(move |call| match call.operation.as_str() {
        "AmazonSQS.GetQueueUrl" => (200, FOUND.to_owned()),
        "AmazonSQS.ReceiveMessage" => {
            assert!(call.body.contains("ApproximateReceiveCount"), "{}", call.body);
            receives += 1;
            // One begins the pause, and the others go back.
            let all = [("pay_1", "1"), ("pay_2", "24"), ("pay_3", "25"), ("pay_4", "99")];
            let delivered = all.map(|(subject, times)| {
                let mut message = message(subject);
                message["Attributes"] = json!({ "ApproximateReceiveCount": times });
                message
            });
            let messages = if receives == 1 { delivered.to_vec() } else { Vec::new() };
            (200, json!({ "Messages": messages }).to_string())
        }
        "AmazonSQS.ChangeMessageVisibilityBatch" => {
            let body: Value = serde_json::from_str(&call.body).unwrap();
            for entry in body["Entries"].as_array().unwrap() {
                let receipt = entry["ReceiptHandle"].as_str().unwrap().to_owned();
                let _ = told.send((receipt, entry["VisibilityTimeout"].as_u64().unwrap()));
            }
            (200, json!({ "Successful": [], "Failed": [] }).to_string())
        }
        "AmazonSQS.DeleteMessageBatch" => (200, json!({ "Successful": [], "Failed": [] }).to_string()),
        other => panic!("{other}"),
    })
    .await;
    let sqs = Sqs::connect(fake.config()).await;
    let mut playing = Playing::start(&sqs, AUDIT, 4);
    let mut running = Vec::new();
    for _ in 0..4 {
        running.push(playing.next().await);
    }
    let first = running.iter().position(|delivery| delivery.subject() == "pay_1").expect("it is among them");
    running.remove(first).answer(Disposition::NotAttempted);
    let tried_again = playing.next().await;
    assert_eq!(tried_again.subject(), "pay_1", "the pause has begun");
    for other in running {
        other.answer(Disposition::NotAttempted);
    }
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.push(tokio::time::timeout(PATIENCE, rests.recv()).await.expect("three go back").unwrap());
    }
    seen.sort();
    let expected = [("pay_2", 0), ("pay_3", 5 * 60), ("pay_4", 60 * 60)];
    assert_eq!(seen, expected.map(|(subject, rests)| (format!("receipt of {subject}"), rests)));
    tried_again.done();
    playing.end().await;
}

#[tokio::test]
async fn what_is_no_event_and_too_long_for_a_reason_is_set_aside_without_one() {
    let buried = Arc::new(Mutex::new(Vec::new()));
    let (log, mut receives) = (buried.clone(), 0);
    let fake = Fake::start(move |call| match call.operation.as_str() {
        "AmazonSQS.GetQueueUrl" => (200, FOUND.to_owned()),
        "AmazonSQS.ReceiveMessage" => {
            receives += 1;
            let message = json!({ "MessageId": "m", "ReceiptHandle": "r", "Body": "no event" });
            let messages = if receives == 1 { vec![message] } else { Vec::new() };
            (200, json!({ "Messages": messages }).to_string())
        }
        "AmazonSQS.SendMessage" if call.body.contains("florin-why") => {
            let error = json!({ "__type": "com.amazonaws.sqs#InvalidParameterValue", "message": "too long" });
            (400, error.to_string())
        }
        operation => {
            log.lock().unwrap().push(operation.to_owned());
            (200, json!({ "MessageId": "m", "Successful": [], "Failed": [] }).to_string())
        }
    })
    .await;
    let sqs = Sqs::connect(fake.config()).await;
    let playing = Playing::start(&sqs, AUDIT, 1);
    let all = || buried.lock().unwrap().len() == 2;
    let waiting = async {
        while !all() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it is set aside in time");
    playing.end().await;
    assert_eq!(*buried.lock().unwrap(), ["AmazonSQS.SendMessage", "AmazonSQS.DeleteMessageBatch"]);
}
