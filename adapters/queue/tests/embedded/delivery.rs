//! What a handler answers is done, and how many work at once. That events arrive where they are wanted, and come again
//! in their time, is a case of the conformance suite for every queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use florin_kernel::corridor::Disposition;
use tokio::sync::Barrier;

use crate::rig::{Consumer, INVOICES, clock, declared, depth, publish};

#[tokio::test]
async fn what_was_not_attempted_comes_again_after_pauses_without_the_clock_moving() {
    let directory = tempfile::tempdir().unwrap();
    let queue = declared(directory.path(), &clock()).await;
    let tries = AtomicUsize::new(0);
    let mut consumer = Consumer::answering(&queue, INVOICES, move |_| {
        if tries.fetch_add(1, Ordering::SeqCst) < 3 { Disposition::NotAttempted } else { Disposition::Done }
    });
    let began = Instant::now();
    publish(&queue, &["evt_1"]).await;
    assert_eq!(consumer.next_ids(4).await, ["evt_1"; 4]);
    // A tenth of a second, then twice as long, then twice as long again.
    assert!(began.elapsed() >= Duration::from_millis(700), "{:?}", began.elapsed());
    assert!(consumer.stop().await.is_empty());
    assert_eq!(depth(&queue, INVOICES).await, 0);
}

#[tokio::test]
async fn done_duplicate_and_permanent_are_over() {
    for answer in [Disposition::Done, Disposition::Duplicate, Disposition::Permanent { code: "gone".into() }]
    {
        let directory = tempfile::tempdir().unwrap();
        let clock = clock();
        let queue = declared(directory.path(), &clock).await;
        publish(&queue, &["evt_1"]).await;
        let mut consumer = Consumer::answering(&queue, INVOICES, move |_| answer.clone());
        assert_eq!(consumer.next_ids(1).await, ["evt_1"]);
        consumer.stop().await;
        assert_eq!(depth(&queue, INVOICES).await, 0);
    }
}

#[tokio::test]
async fn as_many_handlers_run_side_by_side_as_were_asked_for_and_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let queue = declared(directory.path(), &clock()).await;
    let ids: Vec<String> = (0..30).map(|n| format!("evt_{n}")).collect();
    publish(&queue, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (all_here, running) = (Arc::new(Barrier::new(3)), Arc::new(AtomicUsize::new(0)));
    let mut consumer = Consumer::of(&queue, INVOICES, 3, move |_| {
        let (all_here, running) = (Arc::clone(&all_here), Arc::clone(&running));
        Box::pin(async move {
            assert!(running.fetch_add(1, Ordering::SeqCst) < 3, "more than three handlers run");
            // Nobody passes before three are here.
            all_here.wait().await;
            running.fetch_sub(1, Ordering::SeqCst);
            Disposition::Done
        })
    });
    consumer.next_ids(30).await;
    consumer.stop().await;
    assert_eq!(depth(&queue, INVOICES).await, 0);
}

#[tokio::test]
async fn a_stopped_consumer_finishes_what_it_began_and_gives_back_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let queue = declared(directory.path(), &clock).await;
    publish(&queue, &["evt_1", "evt_2", "evt_3"]).await;
    let (open, gate) = tokio::sync::watch::channel(false);
    let mut consumer = Consumer::of(&queue, INVOICES, 1, move |_| {
        let mut gate = gate.clone();
        Box::pin(async move {
            gate.wait_for(|open| *open).await.unwrap();
            Disposition::Done
        })
    });
    assert_eq!(consumer.next_ids(1).await, ["evt_1"]);
    consumer.stop.cancel();
    open.send_replace(true);
    assert!(consumer.stop().await.is_empty());
    let mut other = Consumer::done(&queue, INVOICES);
    assert_eq!(other.next_ids(2).await, ["evt_2", "evt_3"]);
    other.stop().await;
    assert_eq!(depth(&queue, INVOICES).await, 0);
}
