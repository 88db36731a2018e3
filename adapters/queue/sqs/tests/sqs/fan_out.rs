//! Published to a topic.

use std::time::Duration;

use florin_kernel::event::Pattern;
use florin_queue::port::{Subscriber, Subscription};
use florin_sqs::Sqs;

use crate::world::{
    AUDIT, INVOICE, Playing, REPORT, config_with_topic, depth, event, events, ids, publish, raw, url,
};

#[tokio::test]
async fn a_topic_delivers_the_bare_event_with_at_most_four_attributes() {
    let Some(config) = config_with_topic() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    publish(&sqs, &events("florin.payment.captured.v1", 1)).await;
    let url = url(&sqs, &sqs.config().queue_name(AUDIT.function)).await;
    let call = raw(&sqs).receive_message().queue_url(url).message_attribute_names("All");
    let message = call.send().await.unwrap().messages.unwrap().remove(0);
    let body: serde_json::Value = serde_json::from_str(message.body().unwrap()).unwrap();
    assert_eq!(body["specversion"], "1.0");
    assert_eq!(body["type"], "florin.payment.captured.v1");
    let mut attributes: Vec<_> = message.message_attributes().unwrap().keys().cloned().collect();
    attributes.sort();
    assert_eq!(attributes, ["source", "tenant", "traceparent", "type"]);
}

#[tokio::test]
async fn what_a_filter_lets_through_and_the_pattern_does_not_want_is_dropped() {
    let Some(config) = config_with_topic() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[REPORT]).await.unwrap();
    let (wanted, stray) =
        (event("florin.payment.captured.v1", "pay_1"), event("florin.payment.captured.v2", "pay_2"));
    publish(&sqs, &[stray, wanted.clone()]).await;
    let queue = sqs.config().queue_name(REPORT.function);
    assert_eq!(depth(&sqs, &queue).await, (2, 0), "SNS cannot tell them apart");
    let mut playing = Playing::start(&sqs, REPORT, 4);
    assert_eq!(playing.take(1).await, [wanted.id]);
    assert!(playing.within(Duration::from_secs(1)).await.is_none());
    playing.end().await;
    assert_eq!(depth(&sqs, &queue).await, (0, 0));
}

#[tokio::test]
async fn more_events_than_one_call_takes_go_through_a_topic() {
    let Some(config) = config_with_topic() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let many = events("florin.payment.captured.v1", 23);
    publish(&sqs, &many).await;
    let mut playing = Playing::start(&sqs, AUDIT, 16);
    assert_eq!(playing.take(23).await, ids(&many));
    playing.end().await;
}

#[tokio::test]
async fn a_subscription_that_wants_something_else_now_gets_that() {
    let Some(config) = config_with_topic() else { return };
    let sqs = Sqs::connect(config).await;
    let queue = sqs.config().queue_name(INVOICE.function);
    sqs.declare(&[INVOICE]).await.unwrap();
    let changed = Subscription { on: &[Pattern("florin.order.paid.v1")], ..INVOICE };
    sqs.declare(&[changed]).await.unwrap();
    publish(&sqs, &[event("florin.order.completed.v1", "ord_1")]).await;
    assert_eq!(depth(&sqs, &queue).await, (0, 0));
    publish(&sqs, &[event("florin.order.paid.v1", "ord_1")]).await;
    assert_eq!(depth(&sqs, &queue).await, (1, 0));
    let everything = Subscription { on: &[Pattern("#")], ..INVOICE };
    sqs.declare(&[everything]).await.unwrap();
    publish(&sqs, &[event("other.thing.v1", "thing_1")]).await;
    assert_eq!(depth(&sqs, &queue).await, (2, 0));
}
