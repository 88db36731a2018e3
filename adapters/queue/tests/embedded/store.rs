//! What is stored stays, all of a batch or nothing of it.

use std::time::Duration;

use florin_kernel::db::Wall;
use florin_kernel::event::Pattern;
use florin_queue::embedded::{Depth, EmbeddedQueue};
use florin_queue::port::{PublishError, Publisher, Subscriber, Subscription};

use crate::rig::{AUDIT, Consumer, INVOICES, clock, declared, depth, event, of_kind, open, publish, store};

#[tokio::test]
async fn messages_and_subscriptions_outlive_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let queue = declared(directory.path(), &clock).await;
    publish(&queue, &["evt_1"]).await;
    queue.close().await;
    // Nothing is declared here: it is known.
    let again = open(directory.path(), &clock).await;
    publish(&again, &["evt_2"]).await;
    let mut consumer = Consumer::done(&again, INVOICES);
    assert_eq!(consumer.next_ids(2).await, ["evt_1", "evt_2"]);
    consumer.stop().await;
}

#[tokio::test]
async fn an_event_that_nobody_wants_is_published() {
    let directory = tempfile::tempdir().unwrap();
    let queue = open(directory.path(), &clock()).await;
    assert_eq!(queue.publish(&[event("evt_1")]).await, [Ok(())]);
    assert_eq!(queue.publish(&[]).await, []);
}

#[tokio::test]
async fn a_subscription_declared_anew_takes_its_new_patterns() {
    let directory = tempfile::tempdir().unwrap();
    let queue = declared(directory.path(), &clock()).await;
    let narrower = Subscription { on: &[Pattern("florin.refund.*.v1")], ..INVOICES };
    queue.declare(&[narrower]).await.unwrap();
    queue.declare(&[narrower]).await.unwrap();
    publish(&queue, &["evt_1"]).await;
    assert_eq!((depth(&queue, INVOICES).await, depth(&queue, AUDIT).await), (0, 1));
}

#[tokio::test]
async fn a_batch_is_stored_as_a_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let queue = declared(directory.path(), &clock()).await;
    // A disk that is full in the middle of a batch.
    let db = store(directory.path()).await;
    let mut tx = db.begin(Wall::System).await.unwrap();
    tx.sql(
        "CREATE TRIGGER full BEFORE INSERT ON queue_messages WHEN NEW.event LIKE '%evt_2%'
         BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
    )
    .run()
    .await
    .unwrap();
    tx.commit().await.unwrap();
    for result in queue.publish(&[event("evt_1"), event("evt_2"), event("evt_3")]).await {
        assert!(matches!(result, Err(PublishError::NotConfirmed(_))), "{result:?}");
    }
    assert_eq!((depth(&queue, INVOICES).await, depth(&queue, AUDIT).await), (0, 0));
}

#[tokio::test]
async fn an_event_that_is_none_is_refused_alone() {
    let directory = tempfile::tempdir().unwrap();
    let queue = declared(directory.path(), &clock()).await;
    let results = queue.publish(&[event("evt_1"), event(""), event("evt_3")]).await;
    assert!(matches!(results[..], [Ok(()), Err(PublishError::Refused(_)), Ok(())]), "{results:?}");
    assert_eq!(depth(&queue, INVOICES).await, 2);
}

#[tokio::test]
async fn a_message_that_does_not_read_is_set_aside_and_the_next_one_is_delivered() {
    let directory = tempfile::tempdir().unwrap();
    let queue = declared(directory.path(), &clock()).await;
    publish(&queue, &["evt_1", "evt_2"]).await;
    let db = store(directory.path()).await;
    let mut tx = db.begin(Wall::System).await.unwrap();
    tx.sql("UPDATE queue_messages SET event = 'torn' WHERE event LIKE '%evt_1%'").run().await.unwrap();
    tx.commit().await.unwrap();

    let mut consumer = Consumer::done(&queue, INVOICES);
    assert_eq!(consumer.next_ids(1).await, ["evt_2"]);
    consumer.stop().await;
    let aside = queue.set_aside(&[INVOICES], 10).await.unwrap();
    assert_eq!(aside.len(), 1);
    assert_eq!((aside[0].function.as_str(), aside[0].message.as_str()), (INVOICES.function, "torn"));
    assert!(aside[0].why.starts_with("it does not read: not JSON"), "{}", aside[0].why);
    let depths = queue.depth().await.unwrap();
    assert_eq!((depths[1].messages, depths[1].set_aside), (0, 1));
}

#[tokio::test]
async fn depth_tells_how_much_waits_and_since_when() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let queue = declared(directory.path(), &clock).await;
    let began = clock.now();
    publish(&queue, &["evt_1"]).await;
    clock.advance(Duration::from_secs(5));
    assert_eq!(queue.publish(&[of_kind("evt_2", "florin.refund.succeeded.v1")]).await, [Ok(())]);
    let of =
        |queue: &str, messages, oldest| Depth { queue: queue.to_owned(), messages, oldest, set_aside: 0 };
    assert_eq!(
        queue.depth().await.unwrap(),
        [of(AUDIT.function, 2, Some(began)), of(INVOICES.function, 1, Some(began))]
    );
    let mut audit = Consumer::done(&queue, AUDIT);
    audit.next_ids(2).await;
    audit.stop().await;
    assert_eq!(queue.depth().await.unwrap()[0], of(AUDIT.function, 0, None));
}

#[tokio::test]
async fn a_directory_with_any_name_will_do() {
    let directory = tempfile::tempdir().unwrap();
    let odd = directory.path().join("50 % of #1? yes");
    let queue = declared(&odd, &clock()).await;
    publish(&queue, &["evt_1"]).await;
    assert!(odd.join("queue.db").is_file());
}

#[tokio::test]
async fn processes_that_start_together_open_one_queue() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let openings = (0..8).map(|_| EmbeddedQueue::open(directory.path(), clock.clone()));
    for opened in futures_util::future::join_all(openings).await {
        opened.unwrap().declare(&[INVOICES]).await.unwrap();
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("queue.db");
    std::fs::write(&file, "not a database, and longer than the header of one would be, by far, for sure")
        .unwrap();
    let error = EmbeddedQueue::open(directory.path(), clock()).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("the queue {} cannot be opened", file.display())), "{error}");
}
