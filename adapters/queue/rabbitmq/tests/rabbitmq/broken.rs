//! Brokers go away and come back, connections break, and nothing is lost.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_queue::port::{PublishError, Publisher, Subscriber};
use florin_rabbitmq::RabbitMq;
use florin_servers::{Part, free_port, skip};

use crate::proxy::{Proxy, address, through};
use crate::site::{EVERYTHING, PAYMENTS, consume, event, ids, on, on_broker, publish_all};

#[test]
fn a_broker_that_is_away_at_the_start_is_no_error() {
    on_broker(async |site| {
        let port = free_port();
        let mut config = site.config();
        config.url = through(&site.url, port);
        let broker = RabbitMq::connect(config).unwrap();
        broker.declare(&[PAYMENTS]).await.unwrap();
        let results = broker.publish(&[event("early")]).await;
        assert!(matches!(results[..], [Err(PublishError::NotConfirmed(_))]), "{results:?}");
        let mut consumer = consume(&broker, PAYMENTS, 1, async |_| Disposition::Done);
        let _proxy = Proxy::start(port, address(&site.url)).await;
        publish_all(&broker, &[event("early")]).await;
        assert_eq!(consumer.next().await.id, "early");
        consumer.stopped().await;
    });
}

#[test]
fn connections_that_are_cut_again_and_again_lose_nothing() {
    on_broker(async |site| {
        let proxy = Proxy::start(free_port(), address(&site.url)).await;
        let mut config = site.config();
        config.url = through(&site.url, proxy.port);
        let broker = RabbitMq::connect(config).unwrap();
        broker.declare(&[PAYMENTS]).await.unwrap();
        let mut consumer = consume(&broker, PAYMENTS, 8, async |_| Disposition::Done);
        let events: Vec<_> = (0..2_000).map(event).collect();
        let publishing = async {
            for part in events.chunks(200) {
                publish_all(&broker, part).await;
                proxy.cut();
            }
        };
        let seeing = consumer.see_all(ids(0..2_000));
        let ((), deliveries) = futures_util::join!(publishing, seeing);
        println!("2000 events in {deliveries} deliveries over ten cuts");
        consumer.stopped().await;
    });
}

#[test]
fn a_broker_that_falls_silent_is_left_for_a_new_connection() {
    on_broker(async |site| {
        let proxy = Proxy::start(free_port(), address(&site.url)).await;
        let mut config = site.config();
        config.url = format!("{}?heartbeat=1", through(&site.url, proxy.port));
        config.confirm_timeout = Duration::from_secs(1);
        let broker = RabbitMq::connect(config).unwrap();
        broker.declare(&[PAYMENTS]).await.unwrap();
        let mut consumer = consume(&broker, PAYMENTS, 1, async |_| Disposition::Done);
        publish_all(&broker, &[event("before")]).await;
        assert_eq!(consumer.next().await.id, "before");
        proxy.freeze();
        let results = broker.publish(&[event("meanwhile")]).await;
        assert!(matches!(results[..], [Err(PublishError::NotConfirmed(_))]), "{results:?}");
        publish_all(&broker, &[event("after")]).await;
        consumer.see_all(["after".to_owned()]).await;
        consumer.stopped().await;
    });
}

#[test]
fn a_broker_that_is_killed_in_the_middle_of_a_stream_loses_nothing() {
    if !florin_servers::RabbitMq::is_installed() {
        return skip(Part::RabbitMq, "rabbitmq-server is not installed, and another's is not killed");
    }
    let mut node = florin_servers::RabbitMq::start().unwrap();
    on(node.url(), async |site| {
        let broker = site.declared(&[PAYMENTS, EVERYTHING]).await;
        // Some wait in the ladder while the broker dies.
        let postponed = Arc::new(Mutex::new(BTreeSet::new()));
        let mut consumer = consume(&broker, PAYMENTS, 8, move |event| {
            let first = event.id.ends_with('7') && postponed.lock().unwrap().insert(event.id);
            std::future::ready(match first {
                true => Disposition::Retry { after: Duration::from_secs(5) },
                false => Disposition::Done,
            })
        });
        let mut other = consume(&broker, EVERYTHING, 8, async |_| Disposition::Done);
        publish_all(&broker, &(0..300).map(event).collect::<Vec<_>>()).await;
        // When the first retry has come back, five seconds have passed, and the broker has written to disk which
        // queues there are: RabbitMQ 3.10 forgets a queue that is younger than that.
        consumer.see_all(ids(0..300).chain(["7".to_owned()])).await;
        let publisher = broker.clone();
        let publishing = tokio::spawn(async move {
            publish_all(&publisher, &(300..6_000).map(event).collect::<Vec<_>>()).await;
        });
        consumer.see_all(ids(300..1_000)).await;
        tokio::task::block_in_place(|| {
            node.crash();
            node.resume().unwrap();
        });
        publishing.await.unwrap();
        // Those that were told to come again come again.
        let again = ids(0..6_000).filter(|id| id.ends_with('7'));
        let deliveries = consumer.see_all(ids(0..6_000).chain(again)).await;
        println!("6000 events and 600 retries in {deliveries} deliveries over one crash");
        other.see_all(ids(0..6_000)).await;
        consumer.stopped().await;
        other.stopped().await;
    });
}

#[test]
fn while_the_broker_takes_nothing_a_retry_waits_here_and_is_put_off_once() {
    if !florin_servers::RabbitMq::is_installed() {
        return skip(Part::RabbitMq, "rabbitmq-server is not installed, and another's is not filled");
    }
    let node = florin_servers::RabbitMq::start().unwrap();
    on(node.url(), async |site| {
        let mut config = site.config();
        config.confirm_timeout = Duration::from_millis(200);
        let broker = RabbitMq::connect(config).unwrap();
        broker.declare(&[PAYMENTS]).await.unwrap();
        publish_all(&broker, &[event("again")]).await;
        tokio::task::block_in_place(|| node.short_of_memory(true)).unwrap();
        let mut consumer =
            consume(&broker, PAYMENTS, 1, async |_| Disposition::Retry { after: Duration::from_secs(3_600) });
        assert_eq!(consumer.next().await.id, "again");
        // As long as the consumer waits in vain, and longer.
        let mut unwanted = event("unwanted");
        unwanted.kind = "florin.invoice.opened.v1".to_owned();
        for _ in 0..5 {
            let results = broker.publish(std::slice::from_ref(&unwanted)).await;
            assert!(matches!(results[..], [Err(PublishError::NotConfirmed(_))]), "{results:?}");
            tokio::task::block_in_place(|| node.short_of_memory(true)).unwrap();
        }
        tokio::task::block_in_place(|| node.short_of_memory(false)).unwrap();
        // What follows comes only when the one before is out of the consumer's hands: it handles one at a time.
        publish_all(&broker, &[event("next")]).await;
        assert_eq!(consumer.next().await.id, "next", "it was attempted once");
        consumer.stopped().await;
        // Both are put off, and the first was published before the consumer knew that it is not to publish.
        let depth = site.depth(&format!("{}.retry.3600", site.queue(PAYMENTS))).await;
        assert_eq!(depth, 2, "each once");
    });
}

#[test]
fn a_consumer_that_stops_gives_back_what_waits_here_and_leaves_one_copy_at_most() {
    if !florin_servers::RabbitMq::is_installed() {
        return skip(Part::RabbitMq, "rabbitmq-server is not installed, and another's is not filled");
    }
    let node = florin_servers::RabbitMq::start().unwrap();
    on(node.url(), async |site| {
        let mut config = site.config();
        config.confirm_timeout = Duration::from_millis(200);
        let broker = RabbitMq::connect(config).unwrap();
        broker.declare(&[PAYMENTS]).await.unwrap();
        publish_all(&broker, &[event("again")]).await;
        tokio::task::block_in_place(|| node.short_of_memory(true)).unwrap();
        let mut consumer =
            consume(&broker, PAYMENTS, 1, async |_| Disposition::Retry { after: Duration::from_secs(3_600) });
        assert_eq!(consumer.next().await.id, "again");
        consumer.stopped().await;
        tokio::task::block_in_place(|| node.short_of_memory(false)).unwrap();
        let mut other = consume(&broker, PAYMENTS, 1, async |_| Disposition::Done);
        assert_eq!(other.next().await.id, "again");
        other.stopped().await;
        let copies = site.depth(&format!("{}.retry.3600", site.queue(PAYMENTS))).await;
        assert!(copies <= 1, "{copies} copies");
    });
}
