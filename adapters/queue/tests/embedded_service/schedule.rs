//! Jobs run when their slot begins, by the given clock, once whatever number of processes tick.

use std::sync::Arc;
use std::time::Duration;

use florin_kernel::service::{Service, Settings};
use florin_kernel::time::Clock;
use florin_queue::consumer::run_consumers;
use florin_queue::schedule;
use tokio_util::sync::CancellationToken;

use crate::shop::{clock, order, queue, shop, tallied, until};

/// A service that counted one order, which its jobs then check.
async fn with_one_order(directory: &std::path::Path, clock: &Clock, verb: &str) -> Arc<Service> {
    let (service, queue) = (shop(directory, clock, Settings::default()).await, queue(directory, clock).await);
    order(&queue, "order_1", verb).await;
    let stop = CancellationToken::new();
    let consuming = tokio::spawn(run_consumers(Arc::clone(&service), queue.clone(), 1, stop.clone()));
    until("everything is consumed", async || {
        queue.depth().await.unwrap().iter().all(|depth| depth.messages == 0)
    })
    .await;
    stop.cancel();
    consuming.await.unwrap().unwrap();
    service
}

async fn checked(service: &Service) -> (i64, i64) {
    (tallied(service, "checked").await.1, tallied(service, "checked daily").await.1)
}

#[tokio::test]
async fn a_job_runs_at_the_start_and_when_its_slot_begins() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let service = with_one_order(directory.path(), &clock, "completed").await;
    let stop = CancellationToken::new();
    let ticking = tokio::spawn(schedule::run(vec![Arc::clone(&service)], stop.clone()));
    until("both jobs ran", async || checked(&service).await == (1, 1)).await;
    // Only the short job's slots begin; the daily one looks at the clock as often.
    for slot in 2..4 {
        clock.advance(Duration::from_secs(10));
        until("the short job ran", async || checked(&service).await == (slot, 1)).await;
    }
    clock.advance(Duration::from_secs(24 * 60 * 60));
    until("the daily job ran", async || checked(&service).await == (4, 2)).await;
    stop.cancel();
    ticking.await.unwrap();
    assert_eq!(checked(&service).await, (4, 2));
}

#[tokio::test]
async fn two_processes_run_a_slot_once() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let one = with_one_order(directory.path(), &clock, "completed").await;
    let two = shop(directory.path(), &clock, Settings::default()).await;
    let stop = CancellationToken::new();
    let ticking = tokio::spawn(schedule::run(vec![Arc::clone(&one), two], stop.clone()));
    for slot in 1..4 {
        until("the job ran", async || checked(&one).await.0 >= slot).await;
        assert_eq!(checked(&one).await.0, slot);
        clock.advance(Duration::from_secs(10));
    }
    stop.cancel();
    ticking.await.unwrap();
    assert!(checked(&one).await.0 <= 4, "{:?}", checked(&one).await);
}

#[tokio::test]
async fn the_sweep_runs_due_effects_although_no_slot_begins() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    // The peer is not there at the first attempt, so somebody has to come again.
    let service = with_one_order(directory.path(), &clock, "loud").await;
    let stop = CancellationToken::new();
    let ticking = tokio::spawn(schedule::run(vec![Arc::clone(&service)], stop.clone()));
    until("the jobs ran", async || checked(&service).await == (1, 1)).await;
    // Both a lease's end and the wait after a failed attempt are over sooner, and the sweep's next slot is later.
    for _ in 0..5 {
        clock.advance(Duration::from_secs(10));
        swept(&service).await;
    }
    until("the effect is done", async || tallied(&service, "called").await == (1, 1)).await;
    stop.cancel();
    ticking.await.unwrap();
    assert_eq!(tallied(&service, "called").await, (1, 1));
}

/// Waits until no effect is due.
async fn swept(service: &Service) {
    until("no effect is due", async || {
        let due: Vec<(florin_kernel::time::Timestamp,)> =
            crate::shop::rows(service, "SELECT due_at FROM florin_effects WHERE state = 'wanted'").await;
        due.iter().all(|(at,)| *at > service.clock.now())
    })
    .await;
}
