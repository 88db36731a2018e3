//! Kernel rows have a life: what is over is deleted in bounded batches.

use std::time::Duration;

use crate::db::{CommitError, DbResult, Wall};
use crate::service::Service;

/// The most rows of one statement, so that a purge never holds locks for long.
const BATCH: i64 = 1_000;

/// What is over, each in its own statement: `$1` is the instant before which it may go, `$2` the batch.
fn over(service: &Service) -> [(&'static str, Duration); 5] {
    let keep = &service.settings;
    [
        (
            "DELETE FROM florin_operations WHERE id IN (
                 SELECT id FROM florin_operations WHERE state = 'closed' AND created_at < $1 LIMIT $2)",
            keep.keep_operations,
        ),
        (
            "DELETE FROM florin_outbox WHERE id IN (
                 SELECT id FROM florin_outbox WHERE published_at < $1 LIMIT $2)",
            keep.keep_done,
        ),
        (
            "DELETE FROM florin_effects WHERE id IN (
                 SELECT id FROM florin_effects WHERE state = 'done' AND done_at < $1 LIMIT $2)",
            keep.keep_done,
        ),
        (
            "DELETE FROM florin_inbox WHERE (function, source, event_id) IN (
                 SELECT function, source, event_id FROM florin_inbox
                 WHERE state IN ('done', 'failing') AND seen_at < $1 LIMIT $2)",
            keep.keep_inbox,
        ),
        // While its dead letter stands, the row keeps a redelivery from being tried.
        (
            "DELETE FROM florin_inbox WHERE (function, source, event_id) IN (
                 SELECT i.function, i.source, i.event_id FROM florin_inbox i
                 WHERE i.state = 'dead' AND i.seen_at < $1 AND NOT EXISTS (
                     SELECT 1 FROM florin_dead_letters d
                     WHERE d.function = i.function AND d.source = i.source AND d.event_id = i.event_id)
                 LIMIT $2)",
            keep.keep_inbox,
        ),
    ]
}

/// Deletes what is over; how many rows went.
pub async fn purge(service: &Service) -> DbResult<u64> {
    let now = service.clock.now();
    let mut gone = 0;
    for (sql, keep) in over(service) {
        loop {
            let mut tx = service.db.begin(Wall::System).await?;
            let rows = tx.sql(sql).bind(now.minus(keep)).bind(BATCH).run().await?;
            tx.commit().await.map_err(CommitError::into_error)?;
            gone += rows;
            if rows < BATCH.unsigned_abs() {
                break;
            }
        }
    }
    Ok(gone)
}
