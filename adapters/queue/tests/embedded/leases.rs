//! A message is with one consumer at a time, and comes back from one that died.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_kernel::db::Wall;
use florin_kernel::time::Timestamp;
use florin_queue::embedded::ServeLock;
use florin_queue::port::Subscriber;

use crate::rig::{AUDIT, Consumer, INVOICES, PATIENCE, clock, declared, depth, open, publish, store};

#[tokio::test]
async fn a_killed_consumers_message_comes_back_when_its_lease_ends_and_not_before() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let queue = declared(directory.path(), &clock).await;
    publish(&queue, &["evt_1"]).await;
    let mut killed = Consumer::stuck(&queue, INVOICES);
    assert_eq!(killed.next_ids(1).await, ["evt_1"]);
    killed.kill().await;

    let other = open(directory.path(), &clock).await;
    let mut consumer = Consumer::done(&other, INVOICES);
    publish(&other, &["evt_2"]).await;
    assert_eq!(consumer.next_ids(1).await, ["evt_2"]);
    clock.advance(Duration::from_secs(59));
    publish(&other, &["evt_3"]).await;
    assert_eq!(consumer.next_ids(1).await, ["evt_3"]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(consumer.next_ids(1).await, ["evt_1"]);
    consumer.stop().await;
    assert_eq!(depth(&other, INVOICES).await, 0);
}

#[tokio::test]
async fn a_living_consumer_keeps_what_it_holds_while_time_passes() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let (queue, other) = (declared(directory.path(), &clock).await, open(directory.path(), &clock).await);
    publish(&queue, &["evt_1", "evt_2"]).await;
    // It handles the one, holds the other, and takes no more meanwhile.
    let mut slow = Consumer::stuck(&queue, INVOICES);
    assert_eq!(slow.next_ids(1).await, ["evt_1"]);
    let mut quick = Consumer::done(&other, INVOICES);
    // Each step is shorter than the lease, and together they are longer than several.
    for step in 3..8 {
        clock.advance(Duration::from_secs(40));
        held_until(directory.path(), clock.now().plus(Duration::from_secs(40))).await;
        let marker = format!("evt_{step}");
        publish(&other, &[&marker]).await;
        assert_eq!(quick.next_ids(1).await, [marker]);
    }
    assert!(quick.stop().await.is_empty());
    slow.kill().await;
}

/// Waits until every message that somebody holds is held at least that long, looking again and again.
async fn held_until(directory: &std::path::Path, at: Timestamp) {
    let db = store(directory).await;
    let waiting = async {
        loop {
            let mut tx = db.read(Wall::System).await.unwrap();
            let (short,): (i64,) = tx
                .sql("SELECT count(*) FROM queue_messages WHERE holder IS NOT NULL AND due_at < $1")
                .bind(at)
                .one()
                .await
                .unwrap();
            if short == 0 {
                return;
            }
            drop(tx);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("what is held is held longer");
}

#[tokio::test]
async fn whoever_takes_over_the_directory_gets_a_killed_processs_messages_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let queue = declared(directory.path(), &clock).await;
    publish(&queue, &["evt_1"]).await;
    let mut killed = Consumer::stuck(&queue, INVOICES);
    killed.next().await;
    killed.kill().await;
    queue.close().await;

    let lock = ServeLock::take(directory.path()).unwrap();
    let next = open(directory.path(), &clock).await;
    assert_eq!(next.take_over(&lock).await.unwrap(), 1);
    let mut consumer = Consumer::done(&next, INVOICES);
    assert_eq!(consumer.next_ids(1).await, ["evt_1"]);
    consumer.stop().await;
}

#[tokio::test]
async fn two_processes_do_not_deliver_one_message_twice() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let (one, two) = (declared(directory.path(), &clock).await, open(directory.path(), &clock).await);
    let (given, mut received) = tokio::sync::mpsc::unbounded_channel();
    let consumers = [&one, &two].map(|queue| {
        let given = given.clone();
        Consumer::of(queue, INVOICES, 4, move |event| {
            let given = given.clone();
            Box::pin(async move {
                tokio::task::yield_now().await;
                given.send(event.id).unwrap();
                Disposition::Done
            })
        })
    });
    let ids: Vec<String> = (0..500).map(|n| format!("evt_{n}")).collect();
    for some in ids.chunks(50) {
        publish(&one, &some.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    let mut times = BTreeMap::new();
    while times.len() < ids.len() {
        *times.entry(received.recv().await.unwrap()).or_insert(0) += 1;
    }
    for consumer in consumers {
        consumer.stop().await;
    }
    while let Ok(id) = received.try_recv() {
        *times.entry(id).or_insert(0) += 1;
    }
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    assert_eq!(depth(&one, INVOICES).await, 0);
}

#[tokio::test]
async fn what_another_process_publishes_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let (one, two) = (declared(directory.path(), &clock).await, open(directory.path(), &clock).await);
    let mut consumer = Consumer::done(&one, INVOICES);
    for id in ["evt_1", "evt_2"] {
        publish(&two, &[id]).await;
        assert_eq!(consumer.next_ids(1).await, [id]);
    }
    consumer.stop().await;
}

#[tokio::test]
async fn a_handler_that_panics_takes_neither_the_consumer_nor_the_message_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let queue = declared(directory.path(), &clock).await;
    let panicked = AtomicBool::new(false);
    let mut consumer = Consumer::answering(&queue, INVOICES, move |event| {
        assert!(event.id != "evt_1" || panicked.swap(true, Ordering::SeqCst), "the first time it panics");
        Disposition::Done
    });
    publish(&queue, &["evt_1", "evt_2"]).await;
    assert_eq!(consumer.next_ids(2).await, ["evt_1", "evt_2"]);
    clock.advance(Duration::from_secs(60));
    assert_eq!(consumer.next_ids(1).await, ["evt_1"]);
    consumer.stop().await;
    assert_eq!(depth(&queue, INVOICES).await, 0);
}

#[tokio::test]
async fn a_message_that_kills_its_process_again_and_again_is_set_aside() {
    let directory = tempfile::tempdir().unwrap();
    let queue = declared(directory.path(), &clock()).await;
    let lock = ServeLock::take(directory.path()).unwrap();
    publish(&queue, &["evt_1"]).await;
    for _ in 0..100 {
        let mut killed = Consumer::stuck(&queue, INVOICES);
        killed.next().await;
        killed.kill().await;
        queue.take_over(&lock).await.unwrap();
    }
    let mut consumer = Consumer::done(&queue, INVOICES);
    publish(&queue, &["evt_2"]).await;
    assert_eq!(consumer.next_ids(1).await, ["evt_2"]);
    assert!(consumer.stop().await.is_empty());
    let aside = queue.set_aside(&[INVOICES, AUDIT], 10).await.unwrap();
    assert_eq!(aside.len(), 1);
    assert_eq!(aside[0].function, INVOICES.function);
    assert!(aside[0].message.contains("evt_1"));
    assert_eq!(aside[0].why, "100 times its consumer went away without an answer");
}
