//! How fast it is: printed, not judged.

use std::collections::HashSet;
use std::time::Instant;

use florin_kernel::corridor::Disposition;
use florin_queue::port::Publisher;

use crate::rig::{Consumer, INVOICES, clock, declared, depth, event};

const EVENTS: usize = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_events_all_arrive() {
    let directory = tempfile::tempdir().unwrap();
    let queue = declared(directory.path(), &clock()).await;
    let events: Vec<_> = (0..EVENTS).map(|n| event(&format!("evt_{n}"))).collect();
    let began = Instant::now();
    for batch in events.chunks(256) {
        for published in queue.publish(batch).await {
            published.unwrap();
        }
    }
    let published = began.elapsed();
    let began = Instant::now();
    let mut consumer = Consumer::of(&queue, INVOICES, 16, |_| Box::pin(async { Disposition::Done }));
    let ids: HashSet<String> = consumer.next_ids(EVENTS).await.into_iter().collect();
    assert!(consumer.stop().await.is_empty());
    let consumed = began.elapsed();
    assert_eq!(ids.len(), EVENTS);
    assert_eq!(depth(&queue, INVOICES).await, 0);
    // Two queues take each event.
    println!(
        "{EVENTS} events: published to two queues in {published:?}, one queue consumed in {consumed:?} ({:.0}/s)",
        EVENTS as f64 / consumed.as_secs_f64()
    );
}
