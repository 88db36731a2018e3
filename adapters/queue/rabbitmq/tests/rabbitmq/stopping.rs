//! A consumer that stops finishes what it began and hands back the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_queue::port::Subscriber;
use florin_rabbitmq::{RabbitMq, RabbitMqConfig};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::site::{PATIENCE, PAYMENTS, consume, event, ids, on_broker, publish_all};

#[test]
fn a_consumer_that_stops_in_the_middle_loses_nothing_and_repeats_nothing() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        publish_all(&broker, &(0..50).map(event).collect::<Vec<_>>()).await;
        let gate = Arc::new(Semaphore::new(0));
        let waits = gate.clone();
        let mut first = consume(&broker, PAYMENTS, 4, move |_| {
            let waits = waits.clone();
            async move {
                waits.acquire().await.unwrap().forget();
                Disposition::Done
            }
        });
        let mut begun = Vec::new();
        for _ in 0..4 {
            begun.push(first.next().await.id);
        }
        first.stop.cancel();
        // What it had not begun is another's at once, while its own handlers are still busy.
        let rest: Vec<String> = ids(0..50).filter(|id| !begun.contains(id)).collect();
        let mut second = consume(&broker, PAYMENTS, 4, async |_| Disposition::Done);
        assert_eq!(second.see_all(rest).await, 46);
        assert!(!first.task.is_finished(), "it waits for its handlers");
        gate.add_permits(4);
        timeout(PATIENCE, first.task).await.expect("it ends in time").unwrap().unwrap();
        // The four were answered before the end: nothing is left.
        publish_all(&broker, &[event("marker")]).await;
        assert_eq!(second.next().await.id, "marker");
        second.stopped().await;
    });
}

#[test]
fn a_handler_that_hangs_does_not_keep_its_consumer_from_beginning_anew() {
    on_broker(async |site| {
        let config = RabbitMqConfig {
            renew: Duration::from_millis(300),
            drain: Duration::from_millis(100),
            ..site.config()
        };
        let broker = RabbitMq::connect(config).unwrap();
        broker.declare(&[PAYMENTS]).await.unwrap();
        let (gate, first) = (Arc::new(Semaphore::new(0)), AtomicBool::new(true));
        let waits = gate.clone();
        let mut consumer = consume(&broker, PAYMENTS, 2, move |event| {
            let hangs = event.id == "hangs" && first.swap(false, Ordering::SeqCst);
            let waits = waits.clone();
            async move {
                if hangs {
                    waits.acquire().await.unwrap().forget();
                }
                Disposition::Done
            }
        });
        publish_all(&broker, &[event("hangs")]).await;
        assert_eq!(consumer.next().await.id, "hangs");
        assert_eq!(consumer.next().await.id, "hangs", "who begins anew lets go of it");
        publish_all(&broker, &[event("other")]).await;
        assert_eq!(consumer.next().await.id, "other");
        consumer.stop.cancel();
        gate.add_permits(1);
        consumer.stopped().await;
    });
}

#[test]
fn a_process_that_is_killed_in_the_middle_loses_nothing() {
    on_broker(async |site| {
        let doomed = site.declared(&[PAYMENTS]).await;
        publish_all(&doomed, &(0..50).map(event).collect::<Vec<_>>()).await;
        let mut first = consume(&doomed, PAYMENTS, 4, async |_| std::future::pending().await);
        first.next().await;
        first.task.abort();
        drop(doomed);
        let mut second = consume(&site.connect(), PAYMENTS, 4, async |_| Disposition::Done);
        second.see_all(ids(0..50)).await;
        second.stopped().await;
    });
}

#[test]
fn a_consumer_stops_while_its_broker_is_away() {
    on_broker(async |site| {
        let mut config = site.config();
        config.url = crate::proxy::through(&site.url, florin_servers::free_port());
        let broker = florin_rabbitmq::RabbitMq::connect(config).unwrap();
        consume(&broker, PAYMENTS, 4, async |_| Disposition::Done).stopped().await;
    });
}
