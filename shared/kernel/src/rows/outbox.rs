//! Events that are committed and not yet published. Whoever publishes claims them by lease.

use std::time::Duration;

use crate::caller::TenantId;
use crate::db::{Bind, DbResult, Sql, Tx, Wall};
use crate::event::Event;
use crate::service::Service;
use crate::time::Timestamp;

pub(crate) async fn insert(tx: &mut Tx, tenant: &TenantId, now: Timestamp, events: &[Event]) -> DbResult<()> {
    for event in events {
        tx.sql(
            "INSERT INTO florin_outbox (id, tenant, event, due_at, attempts, created_at)
             VALUES ($1, $2, $3, $4, 0, $4)",
        )
        .bind(event.id.clone())
        .bind(tenant.clone())
        .bind(event.to_stored()?)
        .bind(now)
        .later()
        .await?;
    }
    Ok(())
}

/// Claims up to `most` due events, the oldest first, until the lease ends.
pub async fn claim(service: &Service, most: i64, lease: Duration) -> DbResult<Vec<Event>> {
    // SKIP LOCKED: two relays take different rows instead of queueing for the same.
    let due = Sql::each(
        "UPDATE florin_outbox
         SET due_at = $2, attempts = attempts + 1
         WHERE id IN (
             SELECT id FROM florin_outbox
             WHERE published_at IS NULL AND due_at <= $1
             ORDER BY due_at, id
             LIMIT $3
         )
         RETURNING created_at, id, event",
        "UPDATE florin_outbox
         SET due_at = $2, attempts = attempts + 1
         WHERE id IN (
             SELECT id FROM florin_outbox
             WHERE published_at IS NULL AND due_at <= $1
             ORDER BY due_at, id
             LIMIT $3
             FOR UPDATE SKIP LOCKED
         )
         RETURNING created_at, id, event",
    );
    claimed(service, due, most, lease).await
}

/// Claims those of these events that are due, until the lease ends.
pub async fn claim_these(service: &Service, ids: &[String], lease: Duration) -> DbResult<Vec<Event>> {
    let these = Sql::each(
        "UPDATE florin_outbox
         SET due_at = $2, attempts = attempts + 1
         WHERE published_at IS NULL AND due_at <= $1 AND id IN (SELECT value FROM json_each($3))
         RETURNING created_at, id, event",
        "UPDATE florin_outbox
         SET due_at = $2, attempts = attempts + 1
         WHERE id IN (
             SELECT id FROM florin_outbox
             WHERE published_at IS NULL AND due_at <= $1
               AND id IN (SELECT json_array_elements_text($3::text::json))
             FOR UPDATE SKIP LOCKED
         )
         RETURNING created_at, id, event",
    );
    claimed(service, these, serde_json::json!(ids).to_string(), lease).await
}

async fn claimed(service: &Service, which: Sql, of: impl Bind, lease: Duration) -> DbResult<Vec<Event>> {
    let now = service.clock.now();
    let mut tx = service.db.begin(Wall::System).await?;
    let mut claimed: Vec<(Timestamp, String, String)> =
        tx.sql(which).bind(now).bind(now.plus(lease)).bind(of).all().await?;
    tx.commit().await.map_err(crate::db::CommitError::into_error)?;
    // UPDATE ... RETURNING gives no order.
    claimed.sort();
    let mut events = Vec::with_capacity(claimed.len());
    for (_, id, stored) in claimed {
        match Event::from_stored(&stored) {
            Ok(event) => events.push(event),
            // It stays and is shown by `florin outbox`; the others do not wait for it.
            Err(error) => tracing::error!(event.id = id, error.message = %error, "a row of the outbox"),
        }
    }
    Ok(events)
}

/// Marks events as published: the broker confirmed them.
pub async fn published(service: &Service, ids: &[String]) -> DbResult<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let now = service.clock.now();
    let mut tx = service.db.begin(Wall::System).await?;
    tx.sql(Sql::each(
        "UPDATE florin_outbox
         SET published_at = $1
         WHERE id IN (SELECT value FROM json_each($2))",
        "UPDATE florin_outbox
         SET published_at = $1
         WHERE id IN (SELECT json_array_elements_text($2::text::json))",
    ))
    .bind(now)
    .bind(serde_json::json!(ids).to_string())
    .run()
    .await?;
    tx.commit().await.map_err(crate::db::CommitError::into_error)
}

/// Makes claimed events due again after a while: the broker did not confirm them.
pub async fn postpone(service: &Service, ids: &[String], by: Duration) -> DbResult<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let due = service.clock.now().plus(by);
    let mut tx = service.db.begin(Wall::System).await?;
    tx.sql(Sql::each(
        "UPDATE florin_outbox
         SET due_at = $1
         WHERE published_at IS NULL AND id IN (SELECT value FROM json_each($2))",
        "UPDATE florin_outbox
         SET due_at = $1
         WHERE published_at IS NULL AND id IN (SELECT json_array_elements_text($2::text::json))",
    ))
    .bind(due)
    .bind(serde_json::json!(ids).to_string())
    .run()
    .await?;
    tx.commit().await.map_err(crate::db::CommitError::into_error)
}

/// Ends every claim at once, instead of when its lease runs out; how many. As for effects, only for a process that
/// knows that it is alone.
pub async fn take_over(service: &Service) -> DbResult<u64> {
    let mut tx = service.db.begin(Wall::System).await?;
    let rows = tx
        .sql(
            "UPDATE florin_outbox
             SET due_at = $1
             WHERE published_at IS NULL AND due_at > $1",
        )
        .bind(service.clock.now())
        .run()
        .await?;
    tx.commit().await.map_err(crate::db::CommitError::into_error)?;
    Ok(rows)
}

/// How much waits: rows not published, and since when the oldest waits.
pub async fn backlog(service: &Service) -> DbResult<(i64, Option<Timestamp>)> {
    let mut tx = service.db.read(Wall::System).await?;
    let (count, oldest): (i64, Option<Timestamp>) = tx
        .sql(
            "SELECT count(*), min(created_at)
             FROM florin_outbox
             WHERE published_at IS NULL",
        )
        .one()
        .await?;
    Ok((count, oldest))
}
