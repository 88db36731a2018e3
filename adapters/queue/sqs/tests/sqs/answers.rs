//! What each disposition means to a message.

use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_queue::port::Subscriber;
use florin_sqs::{Sqs, SqsConfig};
use tokio::time::Instant;

use crate::world::{AUDIT, Playing, config, depth, event, events, ids, publish, raw, url};

#[tokio::test]
async fn done_duplicate_and_permanent_leave_nothing_in_the_queue() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    publish(&sqs, &events("florin.payment.captured.v1", 3)).await;
    let mut playing = Playing::start(&sqs, AUDIT, 4);
    let permanent = Disposition::Permanent { code: "invalid_request".to_owned() };
    for disposition in [Disposition::Done, Disposition::Duplicate, permanent] {
        playing.next().await.answer(disposition);
    }
    playing.end().await;
    assert_eq!(depth(&sqs, &sqs.config().queue_name(AUDIT.function)).await, (0, 0));
    assert_eq!(depth(&sqs, &sqs.config().dead_queue_name(AUDIT.function)).await, (0, 0));
}

#[tokio::test]
async fn after_not_attempted_nothing_else_is_taken_until_the_same_event_could_be_attempted() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let three = events("florin.payment.captured.v1", 3);
    publish(&sqs, &three).await;
    let mut playing = Playing::start(&sqs, AUDIT, 1);
    let first = playing.next().await;
    let subject = first.subject().to_owned();
    first.answer(Disposition::NotAttempted);
    let begun = Instant::now();
    let second = playing.next().await;
    assert_eq!(second.subject(), subject);
    assert!(begun.elapsed() >= Duration::from_secs(1), "it paused {:?}", begun.elapsed());
    second.done();
    playing.take(2).await;
    playing.end().await;
    assert_eq!(depth(&sqs, &sqs.config().queue_name(AUDIT.function)).await, (0, 0));
}

#[tokio::test]
async fn while_a_consumer_pauses_another_gets_the_rest_at_once() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let three = events("florin.payment.captured.v1", 3);
    publish(&sqs, &three).await;
    let mut away = Playing::start(&sqs, AUDIT, 3);
    let deliveries = [away.next().await, away.next().await, away.next().await];
    for delivery in deliveries {
        delivery.answer(Disposition::NotAttempted);
    }
    let mut well = Playing::start(&sqs, AUDIT, 3);
    let mut taken = well.take(2).await;
    taken.extend(away.take(1).await);
    taken.sort();
    assert_eq!(taken, ids(&three));
    away.end().await;
    well.end().await;
}

#[tokio::test]
async fn when_a_pause_begins_what_was_received_and_has_not_begun_goes_back_at_once() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(SqsConfig { visibility: Duration::from_secs(600), ..config }).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let mut waiting = Playing::waiting_with_two(&sqs, AUDIT).await;
    waiting.running.remove(0).answer(Disposition::NotAttempted);
    let mut well = Playing::start(&sqs, AUDIT, 3);
    well.take(2).await;
    well.end().await;
    for delivery in waiting.running {
        delivery.done();
    }
    waiting.playing.take(1).await;
    waiting.playing.end().await;
    assert_eq!(depth(&sqs, &sqs.config().queue_name(AUDIT.function)).await, (0, 0));
}

#[tokio::test]
async fn a_long_handler_keeps_its_message() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(SqsConfig { visibility: Duration::from_secs(2), ..config }).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    publish(&sqs, &events("florin.payment.captured.v1", 1)).await;
    let mut playing = Playing::start(&sqs, AUDIT, 4);
    let long = playing.next().await;
    assert!(playing.within(Duration::from_secs(5)).await.is_none(), "it was delivered to a second handler");
    long.done();
    playing.end().await;
    assert_eq!(depth(&sqs, &sqs.config().queue_name(AUDIT.function)).await, (0, 0));
}

#[tokio::test]
async fn a_handler_that_panics_costs_neither_the_message_nor_the_consumer() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(SqsConfig { visibility: Duration::from_secs(2), ..config }).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let event = event("florin.payment.captured.v1", "pay_1");
    publish(&sqs, std::slice::from_ref(&event)).await;
    let mut playing = Playing::start(&sqs, AUDIT, 1);
    // Dropped without an answer, the handler panics.
    drop(playing.next().await);
    assert_eq!(playing.next().await.done(), event);
    playing.end().await;
    assert_eq!(depth(&sqs, &sqs.config().queue_name(AUDIT.function)).await, (0, 0));
}

#[tokio::test]
async fn no_more_handlers_run_at_once_than_allowed() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let many = events("florin.payment.captured.v1", 9);
    publish(&sqs, &many).await;
    let mut playing = Playing::start(&sqs, AUDIT, 3);
    let begun = [playing.next().await, playing.next().await, playing.next().await];
    assert!(playing.within(Duration::from_secs(1)).await.is_none(), "a fourth handler began");
    // Nor is more held than that: another replica may have the rest.
    assert_eq!(depth(&sqs, &sqs.config().queue_name(AUDIT.function)).await, (6, 3));
    let mut taken: Vec<String> = begun.into_iter().map(|delivery| delivery.done().id).collect();
    taken.extend(playing.take(6).await);
    taken.sort();
    assert_eq!(taken, ids(&many));
    playing.end().await;
}

#[tokio::test]
async fn whoever_holds_a_receipt_can_say_when_the_message_comes_again() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    publish(&sqs, &events("florin.payment.captured.v1", 1)).await;
    let queue = sqs.config().queue_name(AUDIT.function);
    let url = url(&sqs, &queue).await;
    let call = raw(&sqs).receive_message().queue_url(&url).visibility_timeout(600);
    let message = call.send().await.unwrap().messages.unwrap().remove(0);
    assert_eq!(depth(&sqs, &queue).await, (0, 1));
    let arn = format!("arn:aws:sqs:eu-central-1:123456789012:{queue}");
    let receipt = message.receipt_handle().unwrap();
    sqs.change_visibility(&arn, receipt, Duration::from_millis(500)).await.unwrap();
    let mut playing = Playing::start(&sqs, AUDIT, 1);
    playing.take(1).await;
    playing.end().await;
    assert!(sqs.change_visibility("arn:aws:sns:x", receipt, Duration::ZERO).await.is_err());
}
