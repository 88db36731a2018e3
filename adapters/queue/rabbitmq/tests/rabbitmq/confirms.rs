//! `Ok` means stored for everyone who wants it.

use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_queue::port::{PublishError, Publisher, Subscriber};
use florin_rabbitmq::{RabbitMq, RabbitMqConfig};
use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;

use crate::site::{PAYMENTS, Site, consume, event, on_broker, publish_all};

#[test]
fn an_event_that_nobody_wants_does_not_stay_in_the_outbox() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        let mut unwanted = event("unwanted");
        unwanted.kind = "florin.invoice.opened.v1".to_owned();
        assert_eq!(broker.publish(&[unwanted, event("wanted")]).await, [Ok(()), Ok(())]);
    });
}

#[test]
fn a_binding_that_is_gone_is_noticed_and_made_again() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        let (queue, exchange) = (site.queue(PAYMENTS), format!("{}florin.events", site.prefix));
        site.channel()
            .await
            .queue_unbind(queue.into(), exchange.into(), PAYMENTS.on[0].0.into(), FieldTable::default())
            .await
            .unwrap();
        let sent = [event("1"), event("2")];
        for result in broker.publish(&sent).await {
            assert!(matches!(result, Err(PublishError::NotConfirmed(_))), "{result:?}");
        }
        assert_eq!(broker.publish(&sent).await, [Ok(()), Ok(())]);
        let mut consumer = consume(&broker, PAYMENTS, 1, async |_| Disposition::Done);
        assert_eq!(consumer.see_all(["1".to_owned(), "2".to_owned()]).await, 2);
        consumer.stopped().await;
    });
}

#[test]
fn a_queue_that_is_deleted_under_its_consumer_is_made_again() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        let mut consumer = consume(&broker, PAYMENTS, 1, async |_| Disposition::Done);
        publish_all(&broker, &[event("before")]).await;
        assert_eq!(consumer.next().await.id, "before");
        let deleted = site
            .channel()
            .await
            .queue_delete(site.queue(PAYMENTS).into(), QueueDeleteOptions::default())
            .await;
        deleted.unwrap();
        publish_all(&broker, &[event("after")]).await;
        assert_eq!(consumer.next().await.id, "after");
        consumer.stopped().await;
    });
}

/// Deletes the queue and makes it again, before the channel of its consumer hears of it.
async fn replace_queue(site: &Site) {
    let channel = site.channel().await;
    let deleted = channel.queue_delete(site.queue(PAYMENTS).into(), QueueDeleteOptions::default());
    let (deleted, ()) = tokio::join!(deleted, site.make_queue(&channel, PAYMENTS));
    deleted.unwrap();
}

#[test]
fn a_queue_that_is_deleted_and_made_again_before_its_consumer_hears_of_it_is_consumed() {
    on_broker(async |site| {
        let broker =
            RabbitMq::connect(RabbitMqConfig { idle: Duration::from_millis(100), ..site.config() }).unwrap();
        broker.declare(&[PAYMENTS]).await.unwrap();
        let mut consumer = consume(&broker, PAYMENTS, 1, async |_| Disposition::Done);
        publish_all(&broker, &[event("before")]).await;
        assert_eq!(consumer.next().await.id, "before");
        replace_queue(site).await;
        publish_all(&broker, &[event("after")]).await;
        assert_eq!(consumer.next().await.id, "after");
        consumer.stopped().await;
    });
}

#[test]
fn a_queue_that_is_deleted_and_made_again_is_consumed_from_its_first_message_though_others_keep_coming() {
    on_broker(async |site| {
        let config = RabbitMqConfig {
            idle: Duration::from_secs(3_600),
            renew: Duration::from_millis(300),
            ..site.config()
        };
        let broker = RabbitMq::connect(config).unwrap();
        broker.declare(&[PAYMENTS]).await.unwrap();
        let mut consumer = consume(&broker, PAYMENTS, 1, async |_| Disposition::Done);
        publish_all(&broker, &[event("before")]).await;
        assert_eq!(consumer.next().await.id, "before");
        replace_queue(site).await;
        publish_all(&broker, &[event("first")]).await;
        let busy = async {
            loop {
                publish_all(&broker, &[event("later")]).await;
            }
        };
        tokio::select! {
            _ = consumer.see_all(["first".to_owned()]) => {}
            () = busy => {}
        }
        consumer.stopped().await;
    });
}

#[test]
fn a_consumer_that_begins_anew_all_the_time_misses_nothing() {
    on_broker(async |site| {
        let at_once =
            RabbitMqConfig { idle: Duration::ZERO, renew: Duration::from_millis(1), ..site.config() };
        let broker = RabbitMq::connect(at_once).unwrap();
        broker.declare(&[PAYMENTS]).await.unwrap();
        let mut consumer = consume(&broker, PAYMENTS, 4, async |_| Disposition::Done);
        for n in 0..50 {
            publish_all(&broker, &[event(n)]).await;
        }
        consumer.see_all((0..50).map(|n| n.to_string())).await;
        consumer.stopped().await;
    });
}

#[test]
fn an_event_that_amqp_has_no_room_for_is_refused_and_the_others_go() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        let mut endless = event("endless");
        endless.kind = "florin.".to_owned() + &"x".repeat(300);
        let mut nameless = event("");
        nameless.id.clear();
        let results = broker.publish(&[endless, event("good"), nameless]).await;
        assert!(matches!(
            results[..],
            [Err(PublishError::Refused(_)), Ok(()), Err(PublishError::Refused(_))]
        ));
    });
}

#[test]
fn what_waiting_cannot_cure_is_said_at_the_start() {
    on_broker(async |site| {
        let durable = QueueDeclareOptions { durable: true, ..Default::default() };
        let (channel, queue) = (site.channel().await, site.queue(PAYMENTS));
        channel.queue_declare(queue.into(), durable, FieldTable::default()).await.unwrap();
        let broker = site.connect();
        let error = broker.declare(&[PAYMENTS]).await.unwrap_err();
        assert!(error.to_string().contains("PRECONDITION_FAILED"), "{error}");
        let mut consumer = consume(&broker, PAYMENTS, 1, async |_| Disposition::Done);
        assert!((&mut consumer.task).await.unwrap().is_err(), "a consumer says it too");

        let mut config = site.config();
        config.url = config.url.replace("guest:guest@", "guest:wrong@");
        let error = RabbitMq::connect(config).unwrap().declare(&[PAYMENTS]).await.unwrap_err();
        assert!(error.to_string().contains("ACCESS_REFUSED"), "{error}");
        assert!(!error.to_string().contains("wrong"), "a password is never repeated");
    });
}

#[test]
fn a_url_that_is_none_is_refused_without_repeating_it() {
    let refused = RabbitMq::connect(RabbitMqConfig::new("http://user:secret@localhost")).err().unwrap();
    assert!(!refused.to_string().contains("secret"), "{refused}");
}
