//! What travels through the queue changes something once, whatever dies on the way.

use std::sync::Arc;
use std::time::Duration;

use florin_kernel::rows::outbox;
use florin_kernel::service::Settings;
use florin_queue::consumer::run_consumers;
use florin_queue::embedded::{EmbeddedQueue, ServeLock};
use florin_queue::port::{Handler, QueueError, SetAside, Subscriber, Subscription};
use florin_queue::relay;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::shop::{clock, order, queue, rows, shop, tallied, until};

/// Relay and consumers, as a process runs them.
fn start(
    service: &Arc<florin_kernel::service::Service>,
    queue: &Arc<EmbeddedQueue>,
    stop: &CancellationToken,
) -> JoinHandle<()> {
    let consuming = run_consumers(Arc::clone(service), Arc::clone(queue) as _, 4, stop.clone());
    let relaying = relay::run(Arc::clone(service), Arc::clone(queue) as _, stop.clone());
    tokio::spawn(async move {
        let (consumed, ()) = tokio::join!(consuming, relaying);
        consumed.unwrap();
    })
}

async fn queued(queue: &EmbeddedQueue) -> u64 {
    queue.depth().await.unwrap().iter().map(|depth| depth.messages).sum()
}

#[tokio::test]
async fn each_event_changes_something_once_although_the_process_is_killed_again_and_again() {
    const ORDERS: i64 = 60;
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let lock = ServeLock::take(directory.path()).unwrap();
    let (service, first) =
        (shop(directory.path(), &clock, Settings::default()).await, queue(directory.path(), &clock).await);
    for n in 0..ORDERS {
        order(&first, &format!("order_{n}"), "completed").await;
    }
    for kill_at in [3, 10, 25, 40, ORDERS] {
        // Each process opens the stores anew, and gets at once what the one before it held.
        let (service, queue) = (
            shop(directory.path(), &clock, Settings::default()).await,
            queue(directory.path(), &clock).await,
        );
        queue.take_over(&lock).await.unwrap();
        let stop = CancellationToken::new();
        let process = start(&service, &queue, &stop);
        until("the orders are counted", async || tallied(&service, "counted").await.0 >= kill_at).await;
        if kill_at < ORDERS {
            process.abort();
            assert!(process.await.unwrap_err().is_cancelled());
            continue;
        }
        // What the killed relays had claimed is theirs for their lease.
        clock.advance(Duration::from_secs(60));
        until("the orders are confirmed", async || tallied(&service, "confirmed").await.0 == ORDERS).await;
        // A killed relay's events may be published twice: they are consumed too, and change nothing.
        until("nothing is left", async || {
            outbox::backlog(&service).await.unwrap().0 == 0 && queued(&queue).await == 0
        })
        .await;
        stop.cancel();
        process.await.unwrap();
    }
    assert_eq!(tallied(&service, "counted").await, (ORDERS, ORDERS));
    assert_eq!(tallied(&service, "confirmed").await, (ORDERS, ORDERS));
}

#[tokio::test]
async fn a_database_that_is_away_costs_no_attempt() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let (away, queue) =
        (shop(directory.path(), &clock, Settings::default()).await, queue(directory.path(), &clock).await);
    away.db.close().await;
    order(&queue, "order_1", "completed").await;
    let tried = Arc::new(tokio::sync::Semaphore::new(0));
    let stop = CancellationToken::new();
    let count_order = Subscription::of(crate::shop::SHOP.functions).next().unwrap();
    let deliver = florin_queue::consumer::handler(away, count_order.function);
    let counting: Handler = {
        let tried = Arc::clone(&tried);
        Arc::new(move |event| {
            tried.add_permits(1);
            deliver(event)
        })
    };
    let consuming = tokio::spawn(queue.consume(count_order, 1, counting, stop.clone()));
    let again = tokio::time::timeout(Duration::from_secs(30), tried.acquire_many(4)).await;
    again.expect("what was not attempted is delivered again").unwrap().forget();
    stop.cancel();
    consuming.await.unwrap().unwrap();

    let back = shop(directory.path(), &clock, Settings::default()).await;
    let stop = CancellationToken::new();
    let process = start(&back, &queue, &stop);
    until("the order is counted", async || tallied(&back, "counted").await == (1, 1)).await;
    stop.cancel();
    process.await.unwrap();
    let attempts: Vec<(i64,)> =
        rows(&back, "SELECT attempts FROM florin_inbox WHERE function = 'shop.count_order'").await;
    assert_eq!(attempts, [(1,)]);
}

#[tokio::test]
async fn one_queue_that_cannot_be_consumed_ends_the_consumers_with_its_reason() {
    /// A broker on which one queue was made differently.
    struct Misconfigured;
    impl Subscriber for Misconfigured {
        fn declare<'a>(&'a self, _: &'a [Subscription]) -> BoxFuture<'a, Result<(), QueueError>> {
            Box::pin(async { Ok(()) })
        }
        fn consume(
            &self,
            of: Subscription,
            _: usize,
            _: Handler,
            stop: CancellationToken,
        ) -> BoxFuture<'static, Result<(), QueueError>> {
            Box::pin(async move {
                if of.function == "shop.confirm_order" {
                    return Err(QueueError("the queue is of another type".to_owned()));
                }
                stop.cancelled().await;
                Ok(())
            })
        }
        fn set_aside<'a>(
            &'a self,
            _: &'a [Subscription],
            _: usize,
        ) -> BoxFuture<'a, Result<Vec<SetAside>, QueueError>> {
            Box::pin(async { Ok(Vec::new()) })
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let service = shop(directory.path(), &clock(), Settings::default()).await;
    let stop = CancellationToken::new();
    let ended = run_consumers(service, Arc::new(Misconfigured), 4, stop.clone()).await;
    assert_eq!(ended.unwrap_err().to_string(), "the queue is of another type");
    // Whoever gave the token decides what this means for the rest of the process.
    assert!(!stop.is_cancelled());
}
