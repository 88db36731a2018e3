//! What the audit service recorded, as lines that a test can expect.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::client::Client;
use crate::rows::Rows;
use crate::site::Site;
use crate::wait::{PATIENCE, until};

/// The line of an event.
pub fn event(kind: &str, resource: &str, sequence: i64) -> String {
    format!("event florin.{kind}.v1 {resource} {sequence}")
}

/// The line of an operation of payments.
pub fn operation(name: &str, resource: &str, outcome: &str) -> String {
    format!("operation payments.{name} {resource} {outcome}")
}

/// Every record of the caller's tenant, sorted.
///
/// # Panics
/// When the audit service does not answer.
pub async fn recorded(audit: &Client) -> Vec<String> {
    let mut lines = Vec::new();
    let mut path = "/v1/audit/records?limit=100".to_owned();
    loop {
        let page = audit.get(&path).await.expect(200).body;
        lines.extend(page["data"].as_array().expect("a page").iter().map(line));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/audit/records?limit=100&cursor={cursor}");
    }
    lines.sort();
    lines
}

/// The line of a record.
pub fn line(record: &Value) -> String {
    let text = |name: &str| record[name].as_str().unwrap_or("-");
    let last = match text("kind") {
        "event" => record["sequence"].to_string(),
        _ => text("outcome").to_owned(),
    };
    format!("{} {} {} {last}", text("kind"), text("name"), text("resource"))
}

/// Waits until everything that was committed is published, the broker holds nothing of it, and the audit records are
/// these: each once, and no other.
///
/// RabbitMQ does not tell what its consumers hold: where deliveries may have repeated, stop them and ask
/// [`assert_at_rest`], too.
///
/// # Panics
/// When they are not.
pub async fn assert_recorded(site: &Site, audit: &Client, mut expected: Vec<String>) {
    expected.sort();
    until("everything is published", || async { (site.unpublished() == 0).then_some(()) }).await;
    until("everything is delivered", || async { (site.waiting().await == 0).then_some(()) }).await;
    let end = Instant::now() + PATIENCE;
    loop {
        let lines = recorded(audit).await;
        if lines.len() >= expected.len() || Instant::now() > end {
            assert_eq!(lines, expected);
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// Once every process has stopped in an orderly way, nothing waits anywhere, no row is stuck, and so many records
/// stand.
///
/// # Panics
/// When it is not so.
pub async fn assert_at_rest(site: &Site, audit: &Rows, records: usize) {
    assert_eq!(site.unpublished(), 0, "something is not published");
    assert_eq!(site.waiting().await, 0, "the broker holds something");
    let recorded = audit.number("SELECT count(*) FROM audit_records").await;
    assert_eq!(usize::try_from(recorded), Ok(records), "more is recorded than there was");
    let dead = "SELECT count(*) FROM florin_inbox WHERE state = 'dead'";
    assert_eq!(audit.number(dead).await, 0, "a delivery is a dead letter");
    for rows in [audit, &site.rows("payments")] {
        assert_eq!(rows.unfinished().await, Vec::<String>::new());
    }
}
