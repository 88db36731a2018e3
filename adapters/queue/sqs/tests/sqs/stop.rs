//! The end of a consumer.

use std::time::Duration;

use florin_queue::port::Subscriber;
use florin_sqs::{Sqs, SqsConfig};

use crate::world::{AUDIT, INVOICE, PATIENCE, Playing, config, depth, events, ids, publish};

#[tokio::test]
async fn at_stop_what_has_begun_is_finished_and_the_rest_is_there_for_others_at_once() {
    let Some(config) = config() else { return };
    // Were the rest not given back, the next consumer would wait for it longer than the test does.
    let sqs = Sqs::connect(SqsConfig { visibility: Duration::from_secs(600), ..config }).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let many = events("florin.payment.captured.v1", 12);
    publish(&sqs, &many).await;

    let mut first = Playing::start(&sqs, AUDIT, 4);
    let begun = [first.next().await, first.next().await, first.next().await, first.next().await];
    first.stop.cancel();
    assert!(first.within(Duration::from_secs(1)).await.is_none(), "one more handler began after stop");
    assert!(!first.consuming.is_finished(), "it returned before its handlers were done");
    let mut taken: Vec<String> = begun.into_iter().map(|delivery| delivery.done().id).collect();
    first.end().await;
    let queue = sqs.config().queue_name(AUDIT.function);
    assert_eq!(depth(&sqs, &queue).await, (8, 0));

    let mut second = Playing::start(&sqs, AUDIT, 4);
    taken.extend(second.take(8).await);
    taken.sort();
    assert_eq!(taken, ids(&many));
    second.end().await;
    assert_eq!(depth(&sqs, &queue).await, (0, 0));
}

#[tokio::test]
async fn at_stop_what_was_received_and_has_not_begun_is_there_for_others_at_once() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(SqsConfig { visibility: Duration::from_secs(600), ..config }).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let waiting = Playing::waiting_with_two(&sqs, AUDIT).await;
    waiting.playing.stop.cancel();
    for delivery in waiting.running {
        delivery.done();
    }
    waiting.playing.end().await;
    assert_eq!(depth(&sqs, &sqs.config().queue_name(AUDIT.function)).await, (2, 0));
}

#[tokio::test]
async fn at_stop_a_pausing_consumer_gives_its_message_back_at_once() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(SqsConfig { visibility: Duration::from_secs(600), ..config }).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    publish(&sqs, &events("florin.payment.captured.v1", 1)).await;
    let mut playing = Playing::start(&sqs, AUDIT, 1);
    playing.next().await.answer(florin_kernel::corridor::Disposition::NotAttempted);
    playing.end().await;
    assert_eq!(depth(&sqs, &sqs.config().queue_name(AUDIT.function)).await, (1, 0));
}

#[tokio::test]
async fn a_consumer_of_a_queue_that_is_not_there_says_so() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(SqsConfig { create: false, ..config }).await;
    let playing = Playing::start(&sqs, INVOICE, 1);
    let ended = tokio::time::timeout(PATIENCE, playing.consuming).await.unwrap().unwrap();
    let error = ended.unwrap_err().to_string();
    assert!(error.contains(&sqs.config().queue_name(INVOICE.function)), "{error}");
}
