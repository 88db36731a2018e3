//! How much waits, for metrics and for people.

use florin_kernel::db::{DbResult, Wall};
use florin_kernel::time::Timestamp;

use super::store::Store;

/// What is in one queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Depth {
    /// The function whose queue it is.
    pub queue: String,
    /// Messages that are due, due later or being delivered.
    pub messages: u64,
    /// Since when the oldest of them is here.
    pub oldest: Option<Timestamp>,
    /// Messages that were set aside.
    pub set_aside: u64,
}

impl Store {
    /// Every declared queue, the empty ones too, by name.
    pub(super) async fn depth(&self) -> DbResult<Vec<Depth>> {
        let mut tx = self.db.read(Wall::System).await?;
        let rows: Vec<(String, i64, Option<Timestamp>, i64)> = tx
            .sql(
                "SELECT s.function, count(m.queue), min(m.enqueued_at),
                     (SELECT count(*) FROM queue_messages a WHERE a.queue = s.function AND a.set_aside IS NOT NULL)
                 FROM queue_subscriptions s
                 LEFT JOIN queue_messages m ON m.queue = s.function AND m.set_aside IS NULL
                 GROUP BY s.function
                 ORDER BY s.function",
            )
            .all()
            .await?;
        Ok(rows
            .into_iter()
            .map(|(queue, messages, oldest, set_aside)| Depth {
                queue,
                messages: messages.unsigned_abs(),
                oldest,
                set_aside: set_aside.unsigned_abs(),
            })
            .collect())
    }
}
