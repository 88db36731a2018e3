//! How much waits, for gauges: bounded readings as the system, which say nothing of any tenant.

use crate::db::{DbResult, Tx, Wall};
use crate::service::Service;
use crate::time::Timestamp;

/// Where counting ends: that many are too many, and a reading must stay cheap while they are.
pub const MOST: i64 = 10_000;

/// Rows that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many, up to [`MOST`].
    pub count: i64,
    /// Since when the oldest of those that were counted waits.
    pub oldest: Option<Timestamp>,
}

/// What waits in a service's database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events that are not published.
    pub outbox: Waiting,
    /// Effects without an outcome.
    pub effects: Waiting,
    /// Effects that need a person.
    pub needs_review: Waiting,
    /// Dead letters.
    pub dead_letters: Waiting,
}

/// What waits now. Each reading goes along an index that holds only what waits.
pub async fn read(service: &Service) -> DbResult<Backlog> {
    let mut tx = service.db.read(Wall::System).await?;
    Ok(Backlog {
        outbox: waiting(
            &mut tx,
            "SELECT count(*), min(created_at)
             FROM (SELECT created_at
                   FROM florin_outbox
                   WHERE published_at IS NULL
                   ORDER BY due_at, id
                   LIMIT $1) AS waiting",
        )
        .await?,
        effects: waiting(
            &mut tx,
            "SELECT count(*), min(created_at)
             FROM (SELECT created_at
                   FROM florin_effects
                   WHERE state = 'wanted'
                   ORDER BY due_at, id
                   LIMIT $1) AS waiting",
        )
        .await?,
        needs_review: waiting(
            &mut tx,
            "SELECT count(*), min(created_at)
             FROM (SELECT created_at
                   FROM florin_effects
                   WHERE state = 'needs_review'
                   ORDER BY created_at
                   LIMIT $1) AS waiting",
        )
        .await?,
        dead_letters: waiting(
            &mut tx,
            "SELECT count(*), min(dead_at)
             FROM (SELECT dead_at
                   FROM florin_dead_letters
                   ORDER BY dead_at, id
                   LIMIT $1) AS waiting",
        )
        .await?,
    })
}

async fn waiting(tx: &mut Tx, sql: &'static str) -> DbResult<Waiting> {
    let (count, oldest) = tx.sql(sql).bind(MOST).one().await?;
    Ok(Waiting { count, oldest })
}
