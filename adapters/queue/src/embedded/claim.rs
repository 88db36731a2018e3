//! A consumer's turn at the store: what it finished goes, what it holds is held longer, and more is claimed,
//! in one transaction, because every commit costs a write to the disk.

use std::collections::HashSet;
use std::time::Duration;

use florin_kernel::db::{CommitError, DbResult, Tx};
use florin_kernel::time::Timestamp;

use super::store::Store;

/// How long a message is held without being renewed. A consumer renews at half of it; this is how long a killed
/// consumer's messages wait when the process that serves is not started again.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// What becomes of a message that was claimed.
pub(super) enum Answer {
    /// It is over.
    Done,
    /// It is due at this instant.
    Due(Timestamp),
    /// It is never delivered again, for this reason.
    SetAside(String),
}

/// What a consumer wants of its turn.
pub(super) struct Turn<'a> {
    pub(super) queue: &'a str,
    pub(super) holder: &'a str,
    pub(super) answers: &'a [(i64, Answer)],
    /// Messages to hold longer.
    pub(super) renew: &'a [i64],
    /// The most messages to claim.
    pub(super) want: usize,
}

/// A message as it was claimed.
pub(super) struct Claimed {
    pub(super) id: i64,
    /// How often its consumer went away without an answer.
    pub(super) lost: i64,
    pub(super) event: String,
}

/// What a turn came to.
pub(super) struct Turned {
    /// Which messages were renewed: another consumer may have claimed the others, after their lease ended.
    pub(super) kept: HashSet<i64>,
    /// In the order in which they came.
    pub(super) claimed: Vec<Claimed>,
    /// When the leases end that this turn made.
    pub(super) lease_ends: Timestamp,
}

impl Store {
    /// All of a turn or nothing of it; repeating it after a failure does no harm.
    pub(super) async fn turn(&self, turn: Turn<'_>) -> DbResult<Turned> {
        let now = self.clock.now();
        let lease_ends = now.plus(LEASE);
        let mut tx = self.begin().await?;
        answer(&mut tx, turn.holder, turn.answers).await?;
        let kept = renew(&mut tx, &turn, lease_ends).await?;
        let claimed = claim(&mut tx, &turn, now, lease_ends).await?;
        tx.commit().await.map_err(CommitError::into_error)?;
        Ok(Turned { kept, claimed, lease_ends })
    }
}

async fn answer(tx: &mut Tx, holder: &str, answers: &[(i64, Answer)]) -> DbResult<()> {
    let mut done = Vec::new();
    for (id, answer) in answers {
        // Who lost its lease no longer says when the message is due; but what is done is done.
        match answer {
            Answer::Done => done.push(*id),
            Answer::Due(at) => {
                tx.sql(
                    "UPDATE queue_messages
                     SET holder = NULL, due_at = $1
                     WHERE id = $2 AND holder = $3",
                )
                .bind(*at)
                .bind(*id)
                .bind(holder.to_owned())
                .run()
                .await?;
            }
            Answer::SetAside(why) => {
                tx.sql(
                    "UPDATE queue_messages
                     SET holder = NULL, set_aside = $1
                     WHERE id = $2 AND holder = $3",
                )
                .bind(why.clone())
                .bind(*id)
                .bind(holder.to_owned())
                .run()
                .await?;
            }
        }
    }
    if !done.is_empty() {
        tx.sql("DELETE FROM queue_messages WHERE id IN (SELECT value FROM json_each($1))")
            .bind(serde_json::json!(done).to_string())
            .run()
            .await?;
    }
    Ok(())
}

/// By their numbers, and not all that this holder has: a claim whose COMMIT failed unheard must end by itself.
async fn renew(tx: &mut Tx, turn: &Turn<'_>, lease_ends: Timestamp) -> DbResult<HashSet<i64>> {
    if turn.renew.is_empty() {
        return Ok(HashSet::new());
    }
    let kept: Vec<(i64,)> = tx
        .sql(
            "UPDATE queue_messages
             SET due_at = $1
             WHERE holder = $2 AND id IN (SELECT value FROM json_each($3))
             RETURNING id",
        )
        .bind(lease_ends)
        .bind(turn.holder.to_owned())
        .bind(serde_json::json!(turn.renew).to_string())
        .all()
        .await?;
    Ok(kept.into_iter().map(|(id,)| id).collect())
}

async fn claim(
    tx: &mut Tx,
    turn: &Turn<'_>,
    now: Timestamp,
    lease_ends: Timestamp,
) -> DbResult<Vec<Claimed>> {
    if turn.want == 0 {
        return Ok(Vec::new());
    }
    let mut claimed: Vec<(Timestamp, i64, i64, String)> = tx
        .sql(
            "UPDATE queue_messages
             SET holder = $1, due_at = $2, lost = lost + (holder IS NOT NULL)
             WHERE id IN (
                 SELECT id FROM queue_messages
                 WHERE queue = $3 AND due_at <= $4 AND set_aside IS NULL
                 ORDER BY due_at, enqueued_at, id
                 LIMIT $5
             )
             RETURNING enqueued_at, id, lost, event",
        )
        .bind(turn.holder.to_owned())
        .bind(lease_ends)
        .bind(turn.queue.to_owned())
        .bind(now)
        .bind(i64::try_from(turn.want).unwrap_or(i64::MAX))
        .all()
        .await?;
    // UPDATE ... RETURNING gives no order.
    claimed.sort();
    Ok(claimed.into_iter().map(|(_, id, lost, event)| Claimed { id, lost, event }).collect())
}
