//! What cannot be delivered is set aside, where a person can look at it.

use florin_kernel::corridor::Disposition;
use florin_queue::port::{SetAside, Subscriber};
use florin_rabbitmq::RabbitMq;
use lapin::BasicProperties;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use tokio::time::timeout;

use crate::site::{EVERYTHING, PATIENCE, PAYMENTS, Site, consume, event, on_broker, publish_all};

/// Asks until there is something.
async fn set_aside(broker: &RabbitMq) -> Vec<SetAside> {
    let asking = async {
        loop {
            let found = broker.set_aside(&[PAYMENTS, EVERYTHING], 10).await.unwrap();
            if !found.is_empty() {
                return found;
            }
        }
    };
    timeout(PATIENCE, asking).await.expect("something is set aside in time")
}

async fn publish_raw(site: &Site, properties: BasicProperties, body: &[u8]) {
    let channel = site.channel().await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let exchange = format!("{}florin.events", site.prefix);
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let published = channel
        .basic_publish(exchange.into(), "florin.payment.captured.v1".into(), options, body, properties)
        .await;
    assert_eq!(published.unwrap().await.unwrap(), lapin::Confirmation::Ack(None));
}

#[test]
fn a_message_that_is_no_event_is_set_aside_with_the_reason_and_the_next_one_is_handled() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        // What a foreign producer asked for must not follow its message: it would be gone within a second.
        let properties = BasicProperties::default()
            .with_content_type("application/cloudevents+json".into())
            .with_expiration("100000".into())
            .with_user_id("guest".into());
        publish_raw(site, properties, br#"{"specversion":"1.0","id":"#).await;
        publish_all(&broker, &[event("next")]).await;
        let mut consumer = consume(&broker, PAYMENTS, 1, async |_| Disposition::Done);
        assert_eq!(consumer.next().await.id, "next");
        let found = set_aside(&broker).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].function, PAYMENTS.function);
        assert!(found[0].why.starts_with("not_json: "), "{}", found[0].why);
        assert!(found[0].message.ends_with(r#"{"specversion":"1.0","id":"#), "{}", found[0].message);
        consumer.stopped().await;
    });
}

#[test]
fn looking_at_what_is_set_aside_takes_nothing_away_however_often() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        for body in [b"one".as_slice(), b"two", b"three"] {
            publish_raw(site, BasicProperties::default(), body).await;
        }
        let consumer = consume(&broker, PAYMENTS, 1, async |_| Disposition::Done);
        let looking = async { while broker.set_aside(&[PAYMENTS], 10).await.unwrap().len() < 3 {} };
        timeout(PATIENCE, looking).await.expect("all three are set aside");
        consumer.stopped().await;
        // Returning a message counts as a delivery; brokers stop at 20 unless told otherwise.
        for _ in 0..120 {
            assert_eq!(broker.set_aside(&[PAYMENTS], 10).await.unwrap().len(), 3);
        }
        assert_eq!(broker.set_aside(&[PAYMENTS], 2).await.unwrap().len(), 2, "at most as many as asked for");
    });
}

#[test]
fn what_keeps_killing_its_handler_is_set_aside_in_the_end() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        let consumer = consume(&broker, PAYMENTS, 1, async |_| {
            std::panic::resume_unwind(Box::new("this message kills"))
        });
        publish_all(&broker, &[event("deadly")]).await;
        let found = set_aside(&broker).await;
        assert_eq!(found.len(), 1);
        assert!(found[0].why.contains("again and again"), "{}", found[0].why);
        assert!(found[0].message.contains("cloudEvents_id: deadly"), "{}", found[0].message);
        consumer.stopped().await;
    });
}

#[test]
fn nothing_is_set_aside_where_nothing_was_declared() {
    on_broker(async |site| {
        assert!(site.connect().set_aside(&[PAYMENTS], 10).await.unwrap().is_empty());
    });
}
