//! What is published arrives where it is wanted, whatever its size and number; the plain cases are the conformance
//! suite's.

use std::time::Instant;

use florin_kernel::corridor::Disposition;
use florin_kernel::event::Data;
use florin_queue::port::Publisher;

use crate::site::{PAYMENTS, consume, event, ids, on_broker, publish_all};

#[test]
fn what_is_published_after_declare_waits_for_a_consumer_that_comes_later() {
    on_broker(async |site| {
        site.declared(&[PAYMENTS]).await;
        // Another process, which knows nothing of the subscription.
        publish_all(&site.connect(), &[event("early")]).await;
        let mut consumer = consume(&site.connect(), PAYMENTS, 1, async |_| Disposition::Done);
        assert_eq!(consumer.next().await.id, "early");
        consumer.stopped().await;
    });
}

#[test]
fn attributes_that_do_not_fit_into_headers_travel_all_the_same() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        let mut wide = event("wide");
        for number in 0..40 {
            wide.extensions.insert(format!("note{number}"), "n".repeat(4_000));
        }
        let mut long = event("long");
        let text = "x".repeat(199_000);
        long.data = Data::Json { content_type: "application/json".to_owned(), value: text.into() };
        assert_eq!(broker.publish(&[wide.clone(), long.clone()]).await, [Ok(()), Ok(())]);
        let mut consumer = consume(&broker, PAYMENTS, 1, async |_| Disposition::Done);
        assert_eq!(consumer.next().await, wide);
        assert_eq!(consumer.next().await, long);
        consumer.stopped().await;
    });
}

#[test]
fn five_thousand_events_pipelined_all_arrive() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        let events: Vec<_> = (0..5_000).map(event).collect();
        let started = Instant::now();
        publish_all(&broker, &events).await;
        let published = started.elapsed();
        let started = Instant::now();
        let mut consumer = consume(&broker, PAYMENTS, 32, async |_| Disposition::Done);
        let deliveries = consumer.see_all(ids(0..5_000)).await;
        let consumed = started.elapsed();
        println!(
            "published {:.0}/s in batches of 256, consumed {:.0}/s",
            5_000.0 / published.as_secs_f64(),
            5_000.0 / consumed.as_secs_f64()
        );
        assert_eq!(deliveries, 5_000, "nothing went wrong, so nothing comes twice");
        consumer.stopped().await;
    });
}
