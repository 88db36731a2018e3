//! Effects that were asked for: wanted until the first outcome is recorded, or until a person must look.

mod retry;

use std::time::Duration;

use serde::Serialize;

use crate::caller::TenantId;
use crate::cx::Asked;
use crate::db::{CommitError, DbResult, Tx, Wall};
use crate::id::Kind;
use crate::service::Service;
use crate::time::Timestamp;

pub use retry::{Remembered, Retried, Twice, may_happen_twice, retry};

/// The kind of an effect's identifier: `efx_...`.
pub enum EffectKind {}
impl Kind for EffectKind {
    const PREFIX: &'static str = "efx";
}

/// An effect as its row holds it.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct EffectRow {
    /// Its identifier.
    pub id: String,
    /// Whose.
    pub tenant: TenantId,
    /// The effect's name.
    pub function: String,
    /// Its input, as JSON.
    pub input: String,
    /// The aggregate it is about.
    pub subject: String,
    /// The operation that waits for it.
    pub operation_id: Option<String>,
    /// The command of that operation.
    pub operation_function: Option<String>,
    /// The trace it belongs to.
    pub traceparent: Option<String>,
    /// `wanted`, `done` or `needs_review`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is next tried; while it runs, the end of its lease.
    pub due_at: Timestamp,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// How long a runner holds an effect, unless it renews its hold: so soon the sweep takes over from one that died.
pub const LEASE: Duration = Duration::from_secs(5);

/// How often a run renews its lease: twice may fail before it ends.
pub(crate) const RENEW_EVERY: Duration = Duration::from_millis(1_500);

/// How often an effect was tried when whoever asked for it runs it.
pub(crate) const FIRST: i64 = 1;

/// One run's hold on an effect. Each run has a number of its own: how often the effect was tried by then.
#[derive(Clone, Copy)]
pub(crate) struct Held<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) id: &'a str,
    pub(crate) attempts: i64,
}

impl EffectRow {
    pub(crate) fn held(&self) -> Held<'_> {
        Held { tenant: &self.tenant, id: &self.id, attempts: self.attempts }
    }
}

/// Whose operation waits for an effect.
#[derive(Clone, Copy)]
pub(crate) struct AskedBy<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) operation: Option<(&'a str, &'static str)>,
    pub(crate) traceparent: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// An effect that is asked for: whoever asks runs it at once, so that it is leased from its first moment.
pub(crate) async fn insert(tx: &mut Tx, id: &str, asked: &Asked, by: AskedBy<'_>) -> DbResult<()> {
    tx.sql(
        "INSERT INTO florin_effects
             (id, tenant, function, input, subject, operation_id, operation_function, traceparent,
              state, attempts, due_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'wanted', $9, $10, $11)",
    )
    .bind(id.to_owned())
    .bind(by.tenant.clone())
    .bind(asked.name)
    .bind(asked.input.to_string())
    .bind(asked.subject.clone())
    .bind(by.operation.map(|(id, _)| id.to_owned()))
    .bind(by.operation.map(|(_, function)| function))
    .bind(by.traceparent.map(str::to_owned))
    .bind(FIRST)
    .bind(by.now.plus(LEASE))
    .bind(by.now)
    .later()
    .await
}

/// Takes the lease of an effect that is due; none when another runner has it or it is done.
pub(crate) async fn lease(service: &Service, tenant: &TenantId, id: &str) -> DbResult<Option<EffectRow>> {
    let now = service.clock.now();
    let mut tx = service.db.begin(Wall::Tenant(tenant)).await?;
    let row = tx
        .sql(
            "UPDATE florin_effects
             SET attempts = attempts + 1, due_at = $4
             WHERE tenant = $1 AND id = $2 AND state = 'wanted' AND due_at <= $3
             RETURNING id, tenant, function, input, subject, operation_id, operation_function, traceparent,
                 state, attempts, due_at, last_error, created_at",
        )
        .bind(tenant.clone())
        .bind(id.to_owned())
        .bind(now)
        .bind(now.plus(LEASE))
        .first()
        .await?;
    tx.commit().await.map_err(CommitError::into_error)?;
    Ok(row)
}

/// Renews the lease of a run that goes on. Not when it has ended, nor when another run has begun: then somebody
/// else has the effect, or may have it at any moment.
pub(crate) async fn renew(service: &Service, held: Held<'_>) -> DbResult<bool> {
    let now = service.clock.now();
    let mut tx = service.db.begin(Wall::Tenant(held.tenant)).await?;
    let rows = tx
        .sql(
            "UPDATE florin_effects
             SET due_at = $5
             WHERE tenant = $1 AND id = $2 AND state = 'wanted' AND attempts = $3 AND due_at > $4",
        )
        .bind(held.tenant.clone())
        .bind(held.id.to_owned())
        .bind(held.attempts)
        .bind(now)
        .bind(now.plus(LEASE))
        .run()
        .await?;
    tx.commit().await.map_err(CommitError::into_error)?;
    Ok(rows == 1)
}

/// An effect by its identifier, while it is wanted.
pub(crate) async fn by_id(tx: &mut Tx, tenant: &TenantId, id: &str) -> DbResult<Option<EffectRow>> {
    tx.sql(
        "SELECT id, tenant, function, input, subject, operation_id, operation_function, traceparent,
             state, attempts, due_at, last_error, created_at
         FROM florin_effects
         WHERE tenant = $1 AND id = $2 AND state = 'wanted'",
    )
    .bind(tenant.clone())
    .bind(id.to_owned())
    .first()
    .await
}

/// Ends an effect's life; false when another runner was first. This guard, not the lease, makes it once.
pub(crate) async fn finish(
    tx: &mut Tx,
    tenant: &TenantId,
    id: &str,
    state: &'static str,
    now: Timestamp,
) -> DbResult<bool> {
    tx.sql(
        "UPDATE florin_effects
         SET state = $3, done_at = $4
         WHERE tenant = $1 AND id = $2 AND state = 'wanted'",
    )
    .bind(tenant.clone())
    .bind(id.to_owned())
    .bind(state)
    .bind(now)
    .run()
    .await
    .map(|rows| rows == 1)
}

/// Leaves an effect that this transaction has finished to a person.
pub(crate) async fn leave_to_person(tx: &mut Tx, tenant: &TenantId, id: &str, why: &str) -> DbResult<()> {
    tx.sql(
        "UPDATE florin_effects
         SET state = 'needs_review', last_error = $3
         WHERE tenant = $1 AND id = $2",
    )
    .bind(tenant.clone())
    .bind(id.to_owned())
    .bind(why.to_owned())
    .later()
    .await
}

/// Gives the lease back: due again at this instant. A run that lost its lease leaves it to the one that took it.
pub(crate) async fn again(service: &Service, held: Held<'_>, at: Timestamp, why: &str) -> DbResult<()> {
    let mut tx = service.db.begin(Wall::Tenant(held.tenant)).await?;
    tx.sql(
        "UPDATE florin_effects
         SET due_at = $4, last_error = $5
         WHERE tenant = $1 AND id = $2 AND state = 'wanted' AND attempts = $3",
    )
    .bind(held.tenant.clone())
    .bind(held.id.to_owned())
    .bind(held.attempts)
    .bind(at)
    .bind(why.to_owned())
    .run()
    .await?;
    tx.commit().await.map_err(CommitError::into_error)
}

/// The effects that are due, of every tenant, the longest waiting first.
pub(crate) async fn due(service: &Service, most: i64) -> DbResult<Vec<(TenantId, String, String, i64)>> {
    service
        .db
        .read(Wall::System)
        .await?
        .sql(
            "SELECT tenant, id, function, attempts
             FROM florin_effects
             WHERE state = 'wanted' AND due_at <= $1
             ORDER BY due_at, id
             LIMIT $2",
        )
        .bind(service.clock.now())
        .bind(most)
        .all()
        .await
}

/// The effects that are not done, of every tenant, the oldest first.
pub async fn list(service: &Service, most: i64) -> DbResult<Vec<EffectRow>> {
    service
        .db
        .read(Wall::System)
        .await?
        .sql(
            "SELECT id, tenant, function, input, subject, operation_id, operation_function, traceparent,
                 state, attempts, due_at, last_error, created_at
             FROM florin_effects
             WHERE state <> 'done'
             ORDER BY created_at, id
             LIMIT $1",
        )
        .bind(most)
        .all()
        .await
}

/// Ends every lease at once, instead of when it runs out; how many. Only for a process that knows that it is
/// alone: the one that holds the lock of an embedded data directory, when it starts.
pub async fn take_over(service: &Service) -> DbResult<u64> {
    let now = service.clock.now();
    let mut tx = service.db.begin(Wall::System).await?;
    let rows = tx
        .sql(
            "UPDATE florin_effects
             SET due_at = $1
             WHERE state = 'wanted' AND due_at > $1",
        )
        .bind(now)
        .run()
        .await?;
    tx.commit().await.map_err(CommitError::into_error)?;
    Ok(rows)
}
