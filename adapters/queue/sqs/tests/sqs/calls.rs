//! What is sent again, and what is not.

use std::sync::{Arc, Mutex};

use florin_queue::port::{PublishError, Publisher};
use florin_sqs::{Sqs, SqsConfig};
use serde_json::{Value, json};

use crate::fake::{Call, Fake};
use crate::world::{AUDIT, INVOICE, event, events};

const KIND: &str = "florin.payment.captured.v1";

/// A queue service whose answer to each entry is the script's: nothing for a success, or an error entry's rest.
/// It writes down the subjects of each call.
async fn queues(
    script: impl Fn(&str, usize) -> Option<Value> + Send + 'static,
) -> (Fake, Arc<Mutex<Vec<Vec<String>>>>) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let (log, mut round) = (sent.clone(), 0);
    let fake = Fake::start(move |call| {
        let body: Value = serde_json::from_str(&call.body).unwrap();
        if call.operation == "AmazonSQS.GetQueueUrl" {
            let url = format!("http://127.0.0.1/1/{}", body["QueueName"].as_str().unwrap());
            return (200, json!({ "QueueUrl": url }).to_string());
        }
        assert_eq!(call.operation, "AmazonSQS.SendMessageBatch");
        round += 1;
        let (mut successful, mut failed, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
        for entry in body["Entries"].as_array().unwrap() {
            let event: Value = serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
            let subject = event["subject"].as_str().unwrap().to_owned();
            let id = entry["Id"].clone();
            match script(&subject, round) {
                None => successful.push(json!({ "Id": id, "MessageId": "m", "MD5OfMessageBody": "0" })),
                Some(Value::Null) => {}
                Some(mut error) => {
                    error["Id"] = id;
                    failed.push(error);
                }
            }
            subjects.push(subject);
        }
        log.lock().unwrap().push(subjects);
        (200, json!({ "Successful": successful, "Failed": failed }).to_string())
    })
    .await;
    (fake, sent)
}

fn busy() -> Value {
    json!({ "SenderFault": false, "Code": "InternalError", "Message": "busy" })
}

async fn publisher(fake: &Fake) -> Sqs {
    let sqs = Sqs::connect(fake.config()).await;
    sqs.route(&[AUDIT]).unwrap();
    sqs
}

#[tokio::test]
async fn an_entry_that_failed_is_sent_again_and_only_it() {
    let (fake, sent) = queues(|subject, round| (subject == "pay_1" && round < 3).then(busy)).await;
    let results = publisher(&fake).await.publish(&events(KIND, 3)).await;
    assert_eq!(results, [Ok(()), Ok(()), Ok(())]);
    assert_eq!(*sent.lock().unwrap(), [vec!["pay_0", "pay_1", "pay_2"], vec!["pay_1"], vec!["pay_1"]]);
}

#[tokio::test]
async fn an_entry_that_keeps_failing_is_not_confirmed_after_four_rounds() {
    let (fake, sent) = queues(|subject, _| (subject == "pay_1").then(busy)).await;
    let results = publisher(&fake).await.publish(&events(KIND, 2)).await;
    assert_eq!(results, [Ok(()), Err(PublishError::NotConfirmed("InternalError: busy".to_owned()))]);
    assert_eq!(sent.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn an_entry_that_is_our_fault_is_refused_at_once() {
    let fault = json!({ "SenderFault": true, "Code": "InvalidMessageContents", "Message": "no" });
    let (fake, sent) = queues(move |subject, _| (subject == "pay_0").then(|| fault.clone())).await;
    let results = publisher(&fake).await.publish(&events(KIND, 2)).await;
    assert_eq!(results, [Err(PublishError::Refused("InvalidMessageContents: no".to_owned())), Ok(())]);
    assert_eq!(sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_entry_that_the_answer_does_not_name_is_sent_again() {
    let (fake, sent) =
        queues(|subject, round| (subject == "pay_0" && round == 1).then_some(Value::Null)).await;
    let results = publisher(&fake).await.publish(&events(KIND, 2)).await;
    assert_eq!(results, [Ok(()), Ok(())]);
    assert_eq!(sent.lock().unwrap()[1], ["pay_0"]);
}

#[tokio::test]
async fn an_event_is_published_only_when_every_queue_that_wants_it_has_it() {
    // Both queues' calls come in any order; one entry in one of them fails for good.
    let (fake, _) = queues(|subject, round| (subject == "ord_1" && round > 1).then(busy)).await;
    let sqs = publisher(&fake).await;
    sqs.route(&[INVOICE]).unwrap();
    let both = [event(KIND, "pay_1"), event("florin.order.completed.v1", "ord_1")];
    let results = sqs.publish(&both).await;
    assert!(matches!(results[..], [Ok(()), Err(PublishError::NotConfirmed(_))]), "{results:?}");
}

#[tokio::test]
async fn a_message_that_spoils_its_batch_is_refused_alone() {
    let fake = Fake::start(|call| {
        if call.operation == "AmazonSQS.GetQueueUrl" {
            return (200, json!({ "QueueUrl": "http://127.0.0.1/1/q" }).to_string());
        }
        if call.body.contains("pay_2") {
            let error = json!({ "__type": "com.amazonaws.sqs#InvalidMessageContents", "message": "no" });
            return (400, error.to_string());
        }
        let body: Value = serde_json::from_str(&call.body).unwrap();
        let entry = |entry: &Value| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "0" });
        let successful: Vec<Value> = body["Entries"].as_array().unwrap().iter().map(entry).collect();
        (200, json!({ "Successful": successful, "Failed": [] }).to_string())
    })
    .await;
    let results = publisher(&fake).await.publish(&events(KIND, 4)).await;
    assert!(matches!(results[..], [Ok(()), Ok(()), Err(PublishError::Refused(_)), Ok(())]), "{results:?}");
}

#[tokio::test]
async fn without_permission_or_answer_nothing_is_confirmed_and_nothing_is_refused() {
    for (status, code) in [(403, "AccessDeniedException"), (503, "ServiceUnavailable")] {
        let error = json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": "no" }).to_string();
        let fake = Fake::start(move |_| (status, error.clone())).await;
        let results = publisher(&fake).await.publish(&events(KIND, 1)).await;
        assert!(matches!(results[..], [Err(PublishError::NotConfirmed(_))]), "{results:?}");
    }
    let gone = Fake::start(|_| (200, String::new())).await.config();
    let sqs = Sqs::connect(gone).await;
    sqs.route(&[AUDIT]).unwrap();
    let results = sqs.publish(&events(KIND, 1)).await;
    assert!(matches!(results[..], [Err(PublishError::NotConfirmed(_))]), "{results:?}");
}

#[tokio::test]
async fn an_entry_that_a_topic_failed_is_sent_again_and_only_it() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let log = calls.clone();
    let fake = Fake::start(move |Call { body, .. }| {
        let entries = body.matches(".Id=").count();
        log.lock().unwrap().push(entries);
        let member = |id| format!("<member><Id>{id}</Id><MessageId>m</MessageId></member>");
        let (successful, failed) = match entries {
            3 => (
                member(0) + &member(2),
                "<member><Id>1</Id><Code>InternalFailure</Code><SenderFault>false</SenderFault></member>",
            ),
            _ => (member(0), ""),
        };
        let answer = format!(
            "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
             <Successful>{successful}</Successful><Failed>{failed}</Failed>\
             </PublishBatchResult></PublishBatchResponse>"
        );
        (200, answer)
    })
    .await;
    let topic_arn = Some("arn:aws:sns:eu-central-1:123456789012:florin".to_owned());
    let sqs = Sqs::connect(SqsConfig { topic_arn, ..fake.config() }).await;
    assert_eq!(sqs.publish(&events(KIND, 3)).await, [Ok(()), Ok(()), Ok(())]);
    assert_eq!(*calls.lock().unwrap(), [3, 1]);
}
