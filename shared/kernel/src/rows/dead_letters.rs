//! Deliveries that cannot succeed, with the full event, in the consumer's own database on every platform.

use std::sync::Arc;

use serde::Serialize;

use super::inbox::{self, Delivery};
use crate::corridor::{Act, Disposition};
use crate::db::{CommitError, DbResult, Tx, Wall};
use crate::event::Event;
use crate::id::Kind;
use crate::service::Service;
use crate::time::Timestamp;

/// The kind of a dead letter's identifier: `dlt_...`.
pub enum DeadLetterKind {}
impl Kind for DeadLetterKind {
    const PREFIX: &'static str = "dlt";
}

/// A dead letter as an operator sees it.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct DeadLetter {
    /// Its identifier.
    pub id: String,
    /// The tenant of the event, empty when the event named none.
    pub tenant: String,
    /// The function that could not.
    pub function: String,
    /// The event's source.
    pub source: String,
    /// The event's identifier.
    pub event_id: String,
    /// The event as structured JSON.
    pub event: String,
    /// Why: a stable code.
    pub code: String,
    /// Why, in words.
    pub detail: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was given up.
    pub dead_at: Timestamp,
}

/// Why a delivery is a dead letter.
pub(crate) struct Cause<'a> {
    pub(crate) code: &'a str,
    pub(crate) detail: &'a str,
    pub(crate) attempts: i64,
}

/// Keeps a delivery as a dead letter; false when it was done meanwhile.
pub(crate) async fn store(
    tx: &mut Tx,
    id: &str,
    of: Delivery<'_>,
    event: &Event,
    cause: &Cause<'_>,
    now: Timestamp,
) -> DbResult<bool> {
    if !inbox::bury(tx, of, cause.detail, now).await? {
        return Ok(false);
    }
    tx.sql(
        "INSERT INTO florin_dead_letters
             (id, tenant, function, source, event_id, event, code, detail, attempts, dead_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (function, source, event_id) DO UPDATE
         SET code = $7, detail = $8, attempts = $9, dead_at = $10",
    )
    .bind(id.to_owned())
    .bind(of.tenant.to_owned())
    .bind(of.function)
    .bind(of.source.to_owned())
    .bind(of.event_id.to_owned())
    .bind(event.to_stored()?)
    .bind(cause.code.to_owned())
    .bind(cause.detail.to_owned())
    .bind(cause.attempts)
    .bind(now)
    .run()
    .await
    .map(|_| true)
}

const LIST: &str = "SELECT id, tenant, function, source, event_id, event, code, detail, attempts, dead_at
     FROM florin_dead_letters
     ORDER BY dead_at, id
     LIMIT $1";

const ONE: &str = "SELECT id, tenant, function, source, event_id, event, code, detail, attempts, dead_at
     FROM florin_dead_letters
     WHERE id = $1";

/// The oldest dead letters of every tenant.
pub async fn list(service: &Service, most: i64) -> DbResult<Vec<DeadLetter>> {
    service.db.read(Wall::System).await?.sql(LIST).bind(most).all().await
}

/// One dead letter.
pub async fn show(service: &Service, id: &str) -> DbResult<Option<DeadLetter>> {
    service.db.read(Wall::System).await?.sql(ONE).bind(id.to_owned()).first().await
}

impl DeadLetter {
    /// What it is about: the subject of its event, else itself.
    fn resource(&self) -> String {
        let event = Event::from_stored(&self.event).ok();
        event.and_then(|event| event.subject).unwrap_or_else(|| self.id.clone())
    }
}

/// Tries a dead letter again by the ordinary path. It is gone when that succeeds. That an operator tried is recorded
/// whatever it comes to.
pub async fn replay(service: &Arc<Service>, letter: &DeadLetter) -> DbResult<Disposition> {
    let event = Event::from_stored(&letter.event)?;
    let mut tx = service.db.begin(Wall::System).await?;
    inbox::revive(&mut tx, &letter.function, &letter.source, &letter.event_id).await?;
    let resource = letter.resource();
    let act = Act { verb: "replay_dead_letter", tenant: &letter.tenant, resource: &resource };
    let tx = service.record_act(tx, act).await?;
    tx.commit().await.map_err(CommitError::into_error)?;
    let disposition = service.deliver(&letter.function, event, None).await;
    if matches!(disposition, Disposition::Done | Disposition::Duplicate) {
        drop_done(service, letter).await?;
    }
    Ok(disposition)
}

/// Forgets a dead letter whose event was processed. A duplicate may also be one that somebody else, who replayed it at
/// the same time, buried again: that one stays.
async fn drop_done(service: &Service, letter: &DeadLetter) -> DbResult<()> {
    let mut tx = service.db.begin(Wall::System).await?;
    tx.sql(
        "DELETE FROM florin_dead_letters
         WHERE id = $1
             AND EXISTS (SELECT 1 FROM florin_inbox
                         WHERE function = $2 AND source = $3 AND event_id = $4 AND state = 'done')",
    )
    .bind(letter.id.clone())
    .bind(letter.function.clone())
    .bind(letter.source.clone())
    .bind(letter.event_id.clone())
    .run()
    .await?;
    tx.commit().await.map_err(CommitError::into_error)
}

/// Forgets a dead letter, and records that an operator did; whether there was one.
pub async fn drop_one(service: &Service, id: &str) -> DbResult<bool> {
    let mut tx = service.db.begin(Wall::System).await?;
    let letter: Option<DeadLetter> = tx.sql(ONE).bind(id.to_owned()).first().await?;
    let Some(letter) = letter else { return Ok(false) };
    let rows = tx.sql("DELETE FROM florin_dead_letters WHERE id = $1").bind(id.to_owned()).run().await?;
    if rows == 0 {
        return Ok(false);
    }
    let resource = letter.resource();
    let act = Act { verb: "drop_dead_letter", tenant: &letter.tenant, resource: &resource };
    let tx = service.record_act(tx, act).await?;
    tx.commit().await.map_err(CommitError::into_error)?;
    Ok(true)
}
