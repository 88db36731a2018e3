//! Messages of a queue.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use florin_kernel::rows::dead_letters;
use florin_lambda::InvocationError;
use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{Broker, Environment, batch, failures};

const QUEUE: &str = "parcels-note_parcel";

#[tokio::test]
async fn what_a_delivery_commits_is_published_before_the_answer() {
    let environment = Environment::new(Router::new()).await;
    let answer = environment.handle(&batch(QUEUE, &[("1", "note"), ("2", "note")])).await.unwrap();
    assert_eq!(failures(&answer), [""; 0]);
    assert_eq!(environment.published(), ["1", "2"]);
}

#[tokio::test]
async fn what_others_left_behind_is_the_sweeps_and_keeps_no_invocation_from_its_own() {
    let environment = Environment::new(Router::new()).await;
    *environment.peers.broker.lock().unwrap() = Broker::Nacks;
    environment.handle(&batch(QUEUE, &[("left", "note")])).await.unwrap();
    *environment.peers.broker.lock().unwrap() = Broker::Confirms;
    environment.clock.advance(Duration::from_secs(60));
    environment.handle(&batch(QUEUE, &[("own", "note")])).await.unwrap();
    assert_eq!(environment.published(), ["own"]);
}

#[tokio::test]
async fn a_message_that_comes_twice_changes_once_and_is_let_go_twice() {
    let environment = Environment::new(Router::new()).await;
    for _ in 0..2 {
        let answer = environment.handle(&batch(QUEUE, &[("1", "note")])).await.unwrap();
        assert_eq!(failures(&answer), [""; 0]);
    }
    assert_eq!(environment.published(), ["1"]);
}

#[tokio::test]
async fn a_retry_is_reported_and_its_message_postponed() {
    let environment = Environment::new(Router::new()).await;
    let answer = environment.handle(&batch(QUEUE, &[("1", "later"), ("2", "note")])).await.unwrap();
    assert_eq!(failures(&answer), ["1"]);
    let postponed = environment.peers.postponed.lock().unwrap().clone();
    let [postponed] = postponed.as_slice() else { panic!("{postponed:?}") };
    assert_eq!(postponed.receipt_handle, "receipt-1");
    assert_eq!(postponed.queue_arn, format!("arn:aws:sqs:eu-central-1:123456789012:{QUEUE}"));
    assert_eq!(postponed.after, Duration::from_secs(1));
    assert_eq!(environment.published(), ["2"]);
}

#[tokio::test]
async fn what_can_never_be_done_is_a_dead_letter_and_its_message_is_let_go() {
    let environment = Environment::new(Router::new()).await;
    let answer = environment.handle(&batch(QUEUE, &[("1", "never")])).await.unwrap();
    assert_eq!(failures(&answer), [""; 0]);
    let letters = dead_letters::list(&environment.service, 10).await.unwrap();
    assert_eq!(letters.len(), 1);
}

#[tokio::test]
async fn a_reaction_that_panics_is_a_fault_and_the_rest_goes_on() {
    let environment = Environment::new(Router::new()).await;
    let answer = environment.handle(&batch(QUEUE, &[("1", "panic"), ("2", "note")])).await.unwrap();
    assert_eq!(failures(&answer), ["1"]);
    assert_eq!(environment.published(), ["2"]);
}

#[tokio::test]
async fn a_fifo_queue_keeps_its_order_behind_a_failure() {
    let environment = Environment::new(Router::new()).await;
    let event = batch("parcels-note_parcel.fifo", &[("1", "note"), ("2", "later"), ("3", "note")]);
    assert_eq!(failures(&environment.handle(&event).await.unwrap()), ["2", "3"]);
    assert_eq!(environment.published(), ["1"]);
}

#[tokio::test]
async fn a_message_that_is_no_event_is_left_to_the_queues_own_dead_letters() {
    let environment = Environment::new(Router::new()).await;
    let mut event = batch(QUEUE, &[("1", "note"), ("2", "note")]);
    event["Records"][0]["body"] = json!("not an event");
    assert_eq!(failures(&environment.handle(&event).await.unwrap()), ["1"]);
    assert_eq!(environment.published(), ["2"]);
}

#[tokio::test]
async fn a_notification_inside_of_a_message_is_delivered() {
    let environment = Environment::new(Router::new()).await;
    let mut event = batch(QUEUE, &[("1", "note")]);
    let published = event["Records"][0]["body"].take();
    let envelope = json!({
        "Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:florin",
        "Message": published, "Timestamp": "2026-01-31T12:00:00.000Z",
    });
    event["Records"][0]["body"] = json!(envelope.to_string());
    assert_eq!(failures(&environment.handle(&event).await.unwrap()), [""; 0]);
    assert_eq!(environment.published(), ["1"]);
}

#[tokio::test]
async fn a_queue_is_its_functions_by_name_behind_any_prefix() {
    let environment = Environment::new(Router::new()).await;
    for (id, queue) in ["parcels-note_parcel", "florin-parcels-note_parcel", "eu_parcels-note_parcel.fifo"]
        .iter()
        .enumerate()
    {
        let id = id.to_string();
        assert_eq!(
            failures(&environment.handle(&batch(queue, &[(&id, "note")])).await.unwrap()),
            [""; 0],
            "{queue}"
        );
    }
    assert_eq!(environment.published(), ["0", "1", "2"]);
}

#[tokio::test]
async fn a_queue_of_no_function_here_keeps_its_messages() {
    let environment = Environment::new(Router::new()).await;
    for queue in ["elsewhere-do_it", "note_parcel", "otherparcels-note_parcel", "parcels-count_parcels"] {
        let answer = environment.handle(&batch(queue, &[("1", "note"), ("2", "note")])).await.unwrap();
        assert_eq!(failures(&answer), ["1", "2"], "{queue}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_keeps_every_message_and_spends_no_attempt() {
    let environment = Environment::new(Router::new()).await;
    environment.service.db.close().await;
    let answer = environment.handle(&batch(QUEUE, &[("1", "note"), ("2", "note")])).await.unwrap();
    assert_eq!(failures(&answer), ["1", "2"]);
    assert_eq!(*environment.peers.postponed.lock().unwrap(), []);
}

#[tokio::test]
async fn what_was_delivered_often_while_the_database_is_away_rests_before_it_comes_again() {
    let environment = Environment::new(Router::new()).await;
    environment.service.db.close().await;
    let mut event = batch(QUEUE, &[("1", "note"), ("2", "note"), ("3", "note")]);
    for (record, deliveries) in [(0, "60"), (1, "24"), (2, "25")] {
        event["Records"][record]["attributes"]["ApproximateReceiveCount"] = json!(deliveries);
    }
    let answer = environment.handle(&event).await.unwrap();
    assert_eq!(failures(&answer), ["1", "2", "3"]);
    let postponed = environment.peers.postponed.lock().unwrap().clone();
    let rests: Vec<_> = postponed.iter().map(|p| (p.receipt_handle.as_str(), p.after.as_secs())).collect();
    assert_eq!(rests, [("receipt-1", 15 * 60), ("receipt-3", 5 * 60)]);
}

#[tokio::test]
async fn what_the_deadline_cuts_off_is_reported_and_nothing_of_it_stays() {
    let environment = Environment::new(Router::new()).await;
    let event = batch(QUEUE, &[("1", "note"), ("2", "hang"), ("3", "note")]);
    let answer = environment.handle_within(Duration::from_millis(1_500), &event).await.unwrap();
    assert_eq!(failures(&answer), ["2", "3"]);
    assert_eq!(environment.published(), ["1"]);
}

/// Every message of a batch as one that was delivered often: were it to rest, it would be for an hour.
fn delivered_often(mut event: Value) -> Value {
    for record in event["Records"].as_array_mut().unwrap() {
        record["attributes"]["ApproximateReceiveCount"] = json!("90");
    }
    event
}

#[tokio::test]
async fn what_only_the_deadline_kept_back_does_not_rest() {
    let environment = Environment::new(Router::new()).await;
    let event = delivered_often(batch(QUEUE, &[("1", "hang"), ("2", "note"), ("3", "note")]));
    let answer = environment.handle_within(Duration::from_millis(1_500), &event).await.unwrap();
    assert_eq!(failures(&answer), ["1", "2", "3"]);
    assert_eq!(*environment.peers.postponed.lock().unwrap(), []);
}

#[tokio::test]
async fn what_no_function_here_knows_does_not_rest_and_may_be_anothers_at_once() {
    let environment = Environment::new(Router::new()).await;
    let event = delivered_often(batch("elsewhere-do_it", &[("1", "note"), ("2", "note")]));
    assert_eq!(failures(&environment.handle(&event).await.unwrap()), ["1", "2"]);
    assert_eq!(*environment.peers.postponed.lock().unwrap(), []);
}

#[tokio::test]
async fn a_queue_that_takes_no_rest_keeps_no_answer_back() {
    let mut environment = Environment::new(Router::new()).await;
    let told = Arc::new(Semaphore::new(0));
    let telling = Arc::clone(&told);
    environment.app.postpone = Some(Arc::new(move |_| {
        telling.add_permits(1);
        std::future::pending().boxed()
    }));
    environment.service.db.close().await;
    let event = delivered_often(batch(QUEUE, &[("1", "note"), ("2", "note")]));
    let answer = environment.handle_within(Duration::from_millis(1_500), &event).await.unwrap();
    assert_eq!(failures(&answer), ["1", "2"]);
    assert_eq!(told.available_permits(), 2, "it was about to rest");
}

#[tokio::test]
async fn a_broker_that_is_away_fails_no_delivery_and_the_sweep_publishes() {
    for broker in [Broker::Nacks, Broker::Hangs] {
        let environment = Environment::new(Router::new()).await;
        *environment.peers.broker.lock().unwrap() = broker;
        let answer = environment.handle(&batch(QUEUE, &[("1", "note")])).await.unwrap();
        assert_eq!(failures(&answer), [""; 0]);
        assert_eq!(environment.published(), [""; 0]);

        *environment.peers.broker.lock().unwrap() = Broker::Confirms;
        environment.clock.advance(Duration::from_secs(60));
        environment.handle(&json!({"florin": {"job": "parcels.sweep"}})).await.unwrap();
        assert_eq!(environment.published(), ["1"]);
    }
}

#[tokio::test]
async fn what_nobody_knows_fails_the_invocation_under_a_stable_name() {
    let environment = Environment::new(Router::new()).await;
    let name = |failed: Result<_, InvocationError>| failed.unwrap_err().name();
    assert_eq!(name(environment.handle(&json!({"hello": "world"})).await), "florin.unknown_event");
    let sns = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "m"}}]});
    assert_eq!(name(environment.handle(&sns).await), "florin.sns_without_a_queue");
    let unnamed = json!({"Records": [{"eventSource": "aws:sqs", "body": "b"}]});
    assert_eq!(name(environment.handle(&unnamed).await), "florin.malformed_batch");
}
