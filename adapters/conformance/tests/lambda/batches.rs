//! SQS batches: what cannot be done is named, what is repeated changes nothing, everything else is recorded.

use florin_conformance::lambda::Lambda;
use florin_kernel::event::Event;
use florin_queue::cloudevents::encode_sqs;
use serde_json::{Value, json};

use crate::recorded;

/// An SQS event for the queue of a function, a message for each body.
fn batch(queue: &str, bodies: &[String]) -> Value {
    let records: Vec<Value> = bodies
        .iter()
        .enumerate()
        .map(|(number, body)| {
            json!({
                "messageId": format!("message-{number}"), "receiptHandle": format!("receipt-{number}"), "body": body,
                "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {},
                "eventSource": "aws:sqs", "awsRegion": "eu-central-1",
                "eventSourceARN": format!("arn:aws:sqs:eu-central-1:123456789012:{queue}"),
            })
        })
        .collect();
    json!({ "Records": records })
}

fn body_of(event: &Event) -> String {
    encode_sqs(event).expect("an event of ours").body
}

/// Delivers events in one batch with one that is none, then all of them again.
pub(crate) async fn assert_recorded_by_batch(
    lambda: &Lambda,
    token: &str,
    events: &[Event],
    mut expected: Vec<String>,
) {
    let mut bodies: Vec<String> = events.iter().map(body_of).collect();
    bodies.insert(1, "this is no event".to_owned());
    for _ in 0..2 {
        let answer = lambda.invoke(&batch("florin-audit-record_event", &bodies)).await.answer();
        assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "message-1" }] }));
        expected.sort();
        assert_eq!(recorded(lambda, token).await, expected);
    }
}
