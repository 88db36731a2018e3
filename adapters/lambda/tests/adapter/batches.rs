//! Batches of a queue: what is reported, what is not tried, what is never lost.

use std::cell::RefCell;
use std::time::Duration;

use florin_lambda::batch::{self, BatchAnswer, Outcome, Record};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::raw;

/// An event of these messages, `group:id` where they have a group.
fn event(queue: &str, messages: &[&str]) -> Value {
    let records: Vec<Value> = messages
        .iter()
        .map(|name| {
            let (group, id) = name.split_once(':').unwrap_or(("", name));
            let mut record = json!({
                "messageId": id, "receiptHandle": format!("receipt-{id}"), "body": id, "eventSource": "aws:sqs",
                "eventSourceARN": format!("arn:aws:sqs:eu-central-1:123456789012:{queue}"),
                "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {},
            });
            if !group.is_empty() {
                record["attributes"]["MessageGroupId"] = json!(group);
            }
            record
        })
        .collect();
    json!({ "Records": records })
}

fn records(queue: &str, messages: &[&str]) -> Vec<Record> {
    batch::records(&raw(&event(queue, messages))).unwrap()
}

fn failed(answer: &BatchAnswer) -> Vec<&str> {
    answer.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// Fails the messages named here; gives the failures reported and the messages tried.
async fn run_failing(records: Vec<Record>, failing: &[&str]) -> (BatchAnswer, Vec<String>) {
    let tried = RefCell::new(Vec::new());
    let (answer, _) = batch::run(records, far(), |record| {
        tried.borrow_mut().push(record.message_id.clone());
        let fails = failing.contains(&record.message_id.as_str());
        async move { if fails { Outcome::Failed } else { Outcome::Done } }
    })
    .await;
    (answer, tried.into_inner())
}

#[tokio::test]
async fn a_failure_is_reported_alone_and_the_rest_goes_on() {
    let (answer, tried) = run_failing(records("payments", &["1", "2", "3"]), &["2"]).await;
    assert_eq!(failed(&answer), ["2"]);
    assert_eq!(tried, ["1", "2", "3"]);
}

#[tokio::test]
async fn when_all_is_done_nothing_is_reported() {
    let (answer, _) = run_failing(records("payments", &["1", "2"]), &[]).await;
    assert_eq!(serde_json::to_value(answer).unwrap(), json!({"batchItemFailures": []}));
}

#[tokio::test]
async fn in_a_fifo_queue_a_failure_stops_its_group_and_no_other() {
    let messages = ["a:1", "b:2", "a:3", "b:4", "a:5"];
    let (answer, tried) = run_failing(records("ledger.fifo", &messages), &["1", "4"]).await;
    assert_eq!(failed(&answer), ["1", "3", "4", "5"]);
    assert_eq!(tried, ["1", "2", "4"]);
}

#[tokio::test]
async fn in_a_fifo_queue_messages_without_a_group_are_one_group() {
    let (answer, tried) = run_failing(records("ledger.fifo", &["1", "2", "3"]), &["2"]).await;
    assert_eq!(failed(&answer), ["2", "3"]);
    assert_eq!(tried, ["1", "2"]);
}

#[tokio::test]
async fn a_group_means_nothing_in_a_standard_queue() {
    let (answer, tried) = run_failing(records("fair", &["a:1", "a:2"]), &["1"]).await;
    assert_eq!(failed(&answer), ["1"]);
    assert_eq!(tried, ["1", "2"]);
}

#[tokio::test]
async fn what_the_deadline_does_not_let_us_finish_or_reach_is_reported() {
    let tried = RefCell::new(Vec::new());
    let deadline = Instant::now() + Duration::from_millis(20);
    let (answer, _) = batch::run(records("payments", &["1", "2", "3"]), deadline, |record| {
        tried.borrow_mut().push(record.message_id.clone());
        async move {
            if record.message_id == "2" {
                std::future::pending::<()>().await;
            }
            Outcome::Done
        }
    })
    .await;
    assert_eq!(failed(&answer), ["2", "3"]);
    assert_eq!(*tried.borrow(), ["1", "2"]);
}

#[tokio::test]
async fn after_the_deadline_nothing_is_tried_and_all_is_reported() {
    let (answer, _) = batch::run(records("payments", &["1", "2"]), Instant::now(), |_| async {
        panic!("nothing is tried");
    })
    .await;
    assert_eq!(failed(&answer), ["1", "2"]);
}

#[tokio::test]
async fn when_one_could_not_be_attempted_the_rest_is_not_tried_and_all_of_it_is_reported() {
    let tried = RefCell::new(Vec::new());
    let (answer, resting) = batch::run(records("payments", &["1", "2", "3"]), far(), |record| {
        tried.borrow_mut().push(record.message_id.clone());
        async move { if record.message_id == "2" { Outcome::NotAttempted } else { Outcome::Done } }
    })
    .await;
    assert_eq!(failed(&answer), ["2", "3"]);
    assert_eq!(*tried.borrow(), ["1", "2"]);
    let resting: Vec<&str> = resting.iter().map(|one| one.receipt_handle.as_str()).collect();
    assert_eq!(resting, ["receipt-2", "receipt-3"]);
}

#[tokio::test]
async fn a_message_whose_handler_panics_touches_no_other() {
    let (answer, _) = batch::run(records("payments", &["1", "2", "3"]), far(), |record| async move {
        assert_ne!(record.message_id, "2", "the poison");
        Outcome::Done
    })
    .await;
    assert_eq!(failed(&answer), ["2"]);
}

#[test]
fn a_batch_that_cannot_be_answered_record_by_record_is_an_error() {
    let mut unnamed = event("payments", &["1", "2"]);
    unnamed["Records"][1]["messageId"] = json!("");
    for event in [unnamed, json!({"Records": [{"messageId": 7}]}), json!({})] {
        assert!(batch::records(&raw(&event)).is_err(), "{event}");
    }
}
