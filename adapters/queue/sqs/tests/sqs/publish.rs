//! Published straight to the queues.

use florin_kernel::event::Data;
use florin_queue::port::{PublishError, Publisher, Subscriber};
use florin_sqs::Sqs;
use serde_json::json;

use crate::world::{AUDIT, INVOICE, Playing, config, depth, event, events, ids, publish};

#[tokio::test]
async fn an_event_arrives_as_it_was_published() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let mut playing = Playing::start(&sqs, AUDIT, 4);
    let mut raw = event("florin.payment.captured.v1", "pay_1");
    raw.data = Data::Bytes { content_type: Some("text/csv".to_owned()), bytes: vec![0, 159, 146, 150] };
    let mut bare = event("florin.payment.captured.v1", "pay_1");
    (bare.data, bare.subject, bare.time) = (Data::None, None, None);
    for event in [event("florin.payment.captured.v1", "pay_1"), raw, bare] {
        publish(&sqs, std::slice::from_ref(&event)).await;
        assert_eq!(playing.next().await.done(), event);
    }
    playing.end().await;
    assert_eq!(depth(&sqs, &sqs.config().queue_name(AUDIT.function)).await, (0, 0));
}

#[tokio::test]
async fn an_event_goes_to_each_queue_that_wants_it_and_to_no_other() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT, INVOICE]).await.unwrap();
    let (payment, order) =
        (event("florin.payment.captured.v1", "pay_1"), event("florin.order.completed.v1", "ord_1"));
    let unwanted = event("other.thing.v1", "thing_1");
    publish(&sqs, &[payment.clone(), order.clone(), unwanted]).await;
    assert_eq!(depth(&sqs, &sqs.config().queue_name(AUDIT.function)).await, (2, 0));
    assert_eq!(depth(&sqs, &sqs.config().queue_name(INVOICE.function)).await, (1, 0));
    let mut playing = Playing::start(&sqs, INVOICE, 1);
    assert_eq!(playing.take(1).await, [order.id]);
    playing.end().await;
}

#[tokio::test]
async fn before_anything_is_declared_no_event_is_said_to_be_published() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    let results = sqs.publish(&events("florin.payment.captured.v1", 1)).await;
    assert!(matches!(results[..], [Err(PublishError::NotConfirmed(_))]), "{results:?}");
}

#[tokio::test]
async fn a_publisher_that_was_only_told_the_routes_reaches_the_queues() {
    let Some(config) = config() else { return };
    Sqs::connect(config.clone()).await.declare(&[AUDIT]).await.unwrap();
    let publisher = Sqs::connect(config).await;
    publisher.route(&[AUDIT]).unwrap();
    publish(&publisher, &events("florin.payment.captured.v1", 2)).await;
    assert_eq!(depth(&publisher, &publisher.config().queue_name(AUDIT.function)).await, (2, 0));
}

#[tokio::test]
async fn more_events_and_bytes_than_one_call_takes_all_arrive() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let mut many = events("florin.payment.captured.v1", 33);
    for event in many.iter_mut().take(8) {
        event.data = Data::Json {
            content_type: "application/json".to_owned(),
            value: json!({ "text": "x".repeat(150_000) }),
        };
    }
    publish(&sqs, &many).await;
    let mut playing = Playing::start(&sqs, AUDIT, 16);
    assert_eq!(playing.take(33).await, ids(&many));
    playing.end().await;
    assert_eq!(depth(&sqs, &sqs.config().queue_name(AUDIT.function)).await, (0, 0));
}

#[tokio::test]
async fn an_event_over_the_limit_is_refused_and_its_neighbours_go() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let mut three = events("florin.payment.captured.v1", 3);
    three[1].data = Data::Json {
        content_type: "application/json".to_owned(),
        value: json!({ "text": "x".repeat(262_144) }),
    };
    let results = sqs.publish(&three).await;
    assert!(matches!(results[..], [Ok(()), Err(PublishError::Refused(_)), Ok(())]), "{results:?}");
    assert_eq!(depth(&sqs, &sqs.config().queue_name(AUDIT.function)).await, (2, 0));
}

#[tokio::test]
async fn an_event_is_not_published_while_one_queue_that_wants_it_is_not_there() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    sqs.route(&[INVOICE]).unwrap();
    let both = [event("florin.payment.captured.v1", "pay_1"), event("florin.order.completed.v1", "ord_1")];
    let results = sqs.publish(&both).await;
    assert!(matches!(results[..], [Ok(()), Err(PublishError::NotConfirmed(_))]), "{results:?}");
    // Made meanwhile, it is found.
    sqs.declare(&[INVOICE]).await.unwrap();
    publish(&sqs, &both).await;
}
