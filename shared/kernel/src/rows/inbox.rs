//! What was delivered: a delivery changes something once, and is counted while it fails.

use crate::db::{DbResult, Tx};
use crate::time::Timestamp;

/// A delivery's key: deliveries repeat, and (function, source, id) does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery<'a> {
    pub(crate) function: &'static str,
    pub(crate) source: &'a str,
    pub(crate) event_id: &'a str,
    pub(crate) tenant: &'a str,
}

/// Enters a delivery; false when it was done, or is a dead letter, already.
pub(crate) async fn enter(tx: &mut Tx, of: Delivery<'_>, now: Timestamp) -> DbResult<bool> {
    tx.sql(
        "INSERT INTO florin_inbox (function, source, event_id, tenant, state, attempts, seen_at)
         VALUES ($1, $2, $3, $4, 'done', 1, $5)
         ON CONFLICT (function, source, event_id) DO UPDATE
         SET state = 'done', attempts = florin_inbox.attempts + 1, seen_at = $5
         WHERE florin_inbox.state = 'failing'",
    )
    .bind(of.function)
    .bind(of.source.to_owned())
    .bind(of.event_id.to_owned())
    .bind(of.tenant.to_owned())
    .bind(now)
    .run()
    .await
    .map(|rows| rows == 1)
}

/// Counts a failed attempt, in a transaction of its own after the rollback; how many there were.
pub(crate) async fn failed(tx: &mut Tx, of: Delivery<'_>, why: &str, now: Timestamp) -> DbResult<i64> {
    let counted: Option<(i64,)> = tx
        .sql(
            "INSERT INTO florin_inbox (function, source, event_id, tenant, state, attempts, last_error, seen_at)
             VALUES ($1, $2, $3, $4, 'failing', 1, $5, $6)
             ON CONFLICT (function, source, event_id) DO UPDATE
             SET attempts = florin_inbox.attempts + 1, last_error = $5, seen_at = $6
             WHERE florin_inbox.state = 'failing'
             RETURNING attempts",
        )
        .bind(of.function)
        .bind(of.source.to_owned())
        .bind(of.event_id.to_owned())
        .bind(of.tenant.to_owned())
        .bind(why.to_owned())
        .bind(now)
        .first()
        .await?;
    // No row: another runner finished it meanwhile.
    Ok(counted.map_or(0, |(attempts,)| attempts))
}

/// Ends a delivery as a dead letter, so that a redelivery is not tried again; false when another runner did it
/// meanwhile, and there is nothing to bury.
pub(crate) async fn bury(tx: &mut Tx, of: Delivery<'_>, why: &str, now: Timestamp) -> DbResult<bool> {
    tx.sql(
        "INSERT INTO florin_inbox (function, source, event_id, tenant, state, attempts, last_error, seen_at)
         VALUES ($1, $2, $3, $4, 'dead', 1, $5, $6)
         ON CONFLICT (function, source, event_id) DO UPDATE
         SET state = 'dead', last_error = $5, seen_at = $6
         WHERE florin_inbox.state <> 'done'",
    )
    .bind(of.function)
    .bind(of.source.to_owned())
    .bind(of.event_id.to_owned())
    .bind(of.tenant.to_owned())
    .bind(why.to_owned())
    .bind(now)
    .run()
    .await
    .map(|rows| rows == 1)
}

/// Lets a dead letter be tried again from its first attempt.
pub(crate) async fn revive(tx: &mut Tx, function: &str, source: &str, event_id: &str) -> DbResult<()> {
    tx.sql(
        "UPDATE florin_inbox
         SET state = 'failing', attempts = 0
         WHERE function = $1 AND source = $2 AND event_id = $3 AND state = 'dead'",
    )
    .bind(function.to_owned())
    .bind(source.to_owned())
    .bind(event_id.to_owned())
    .run()
    .await
    .map(|_| ())
}
