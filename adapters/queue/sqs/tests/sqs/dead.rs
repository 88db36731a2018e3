//! What no function can answer.

use aws_sdk_sqs::types::MessageAttributeValue;
use florin_queue::port::Subscriber;
use florin_sqs::Sqs;

use crate::world::{AUDIT, INVOICE, Playing, config, depth, events, publish, raw, url};

#[tokio::test]
async fn what_is_no_event_is_set_aside_as_it_is_with_the_reason() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT, INVOICE]).await.unwrap();
    let queue = sqs.config().queue_name(AUDIT.function);
    let dead = sqs.config().dead_queue_name(AUDIT.function);
    let body = "{\"specversion\":\"1.0\",\"\\u0007bell\":1}";
    let number = MessageAttributeValue::builder().data_type("Number").string_value("7").build().unwrap();
    let call = raw(&sqs).send_message().queue_url(url(&sqs, &queue).await);
    call.message_body(body).message_attributes("count", number.clone()).send().await.unwrap();
    let neighbour = events("florin.payment.captured.v1", 1);
    publish(&sqs, &neighbour).await;

    let mut playing = Playing::start(&sqs, AUDIT, 1);
    assert_eq!(playing.take(1).await, [neighbour[0].id.clone()]);
    playing.end().await;
    assert_eq!(depth(&sqs, &queue).await, (0, 0));
    assert_eq!(depth(&sqs, &dead).await, (1, 0));

    let found = sqs.set_aside(&[AUDIT, INVOICE], 10).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].function, AUDIT.function);
    assert_eq!(found[0].message, body);
    assert!(found[0].why.contains("bell"), "{}", found[0].why);

    let call = raw(&sqs).receive_message().queue_url(url(&sqs, &dead).await);
    let message = call.message_attribute_names("All").send().await.unwrap().messages.unwrap().remove(0);
    assert_eq!(message.message_attributes().unwrap()["count"], number);
}

#[tokio::test]
async fn a_look_at_what_is_set_aside_is_bounded_and_takes_nothing_away() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let dead = sqs.config().dead_queue_name(AUDIT.function);
    let dead_url = url(&sqs, &dead).await;
    for n in 0..13 {
        let call = raw(&sqs).send_message().queue_url(&dead_url).message_body(format!("not an event {n}"));
        call.send().await.unwrap();
    }
    for (most, expected) in [(0, 0), (1, 1), (11, 11), (100, 13), (100, 13)] {
        let found = sqs.set_aside(&[AUDIT], most).await.unwrap();
        let mut messages: Vec<_> = found.iter().map(|aside| aside.message.as_str()).collect();
        messages.sort_unstable();
        messages.dedup();
        assert_eq!(messages.len(), expected, "at most {most}");
        assert_eq!(depth(&sqs, &dead).await, (13, 0));
    }
}

#[tokio::test]
async fn where_there_is_no_dead_queue_nothing_is_set_aside() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    assert!(sqs.set_aside(&[AUDIT], 10).await.unwrap().is_empty());
}
