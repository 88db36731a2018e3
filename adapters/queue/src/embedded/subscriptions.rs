//! Who wants which events, kept in the store, so that a publisher in another process knows it too.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use florin_kernel::db::{CommitError, DbError, DbResult, Trouble, Tx};
use florin_kernel::event::Pattern;

use super::store::Store;
use crate::port::Subscription;

/// A queue and what belongs on it.
pub(super) struct Declared {
    pub(super) queue: String,
    pub(super) on: Vec<Pattern>,
}

/// Patterns read from the store. A [`Pattern`] is a constant of the program, so the text of each is kept for the
/// life of the process, once: there are as many as releases have ever declared on this machine.
#[derive(Debug, Default)]
pub(super) struct Patterns(Mutex<HashMap<String, Pattern>>);

impl Patterns {
    fn of(&self, text: String) -> Pattern {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(text).or_insert_with_key(|text| Pattern(Box::leak(text.clone().into_boxed_str())))
    }
}

impl Store {
    /// Keeps these subscriptions; what was declared before under another pattern takes the new one.
    pub(super) async fn declare(&self, subscriptions: &[Subscription]) -> DbResult<()> {
        let mut tx = self.begin().await?;
        for Subscription { function, on } in subscriptions {
            let patterns: Vec<&str> = on.iter().map(|pattern| pattern.0).collect();
            tx.sql(
                "INSERT INTO queue_subscriptions (function, patterns)
                 VALUES ($1, $2)
                 ON CONFLICT (function) DO UPDATE
                 SET patterns = $2
                 WHERE patterns <> $2",
            )
            .bind(*function)
            .bind(serde_json::json!(patterns).to_string())
            .run()
            .await?;
        }
        tx.commit().await.map_err(CommitError::into_error)
    }

    /// Every subscription ever declared, as this transaction sees them.
    pub(super) async fn declared(&self, tx: &mut Tx) -> DbResult<Vec<Declared>> {
        let rows: Vec<(String, String)> = tx
            .sql(
                "SELECT function, patterns
                 FROM queue_subscriptions
                 ORDER BY function",
            )
            .all()
            .await?;
        rows.into_iter()
            .map(|(queue, patterns)| {
                let patterns: Vec<String> = serde_json::from_str(&patterns).map_err(|error| {
                    DbError::said(Trouble::Fault, format!("the patterns of {queue} do not read: {error}"))
                })?;
                Ok(Declared { queue, on: patterns.into_iter().map(|text| self.patterns.of(text)).collect() })
            })
            .collect()
    }
}
