//! One serving process per data directory.

use florin_queue::embedded::ServeLock;

use crate::rig::{Consumer, INVOICES, clock, declared, open, publish};

#[test]
fn a_second_serving_process_is_told_who_serves_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let lock = ServeLock::take(directory.path()).unwrap();
    assert_eq!(
        ServeLock::take(directory.path()).unwrap_err().to_string(),
        format!(
            "another florin (process {}) serves the data directory {}: stop it first, or give this one a directory of its own",
            std::process::id(),
            directory.path().display()
        )
    );
    drop(lock);
    ServeLock::take(directory.path()).unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = ServeLock::take(&file.join("data")).unwrap_err().to_string();
    assert!(error.starts_with(&format!("the lock {}", file.join("data/serve.lock").display())), "{error}");
}

#[tokio::test]
async fn a_command_joins_without_the_lock() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let _lock = ServeLock::take(directory.path()).unwrap();
    let serving = declared(directory.path(), &clock).await;
    let mut consumer = Consumer::done(&serving, INVOICES);
    let command = open(directory.path(), &clock).await;
    publish(&command, &["evt_1"]).await;
    command.close().await;
    assert_eq!(consumer.next_ids(1).await, ["evt_1"]);
    consumer.stop().await;
}
