//! What nobody can be asked to handle any more, for people to look at.

use florin_kernel::db::{DbResult, Wall};

use super::store::Store;
use crate::port::{SetAside, Subscription};

impl Store {
    /// The first messages that were set aside of each subscription.
    pub(super) async fn set_aside(&self, of: &[Subscription], most: usize) -> DbResult<Vec<SetAside>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut tx = self.db.read(Wall::System).await?;
        let mut listed = Vec::new();
        for subscription in of {
            let rows: Vec<(String, String)> = tx
                .sql(
                    "SELECT event, set_aside
                     FROM queue_messages
                     WHERE queue = $1 AND set_aside IS NOT NULL
                     ORDER BY id
                     LIMIT $2",
                )
                .bind(subscription.function)
                .bind(most)
                .all()
                .await?;
            listed.extend(rows.into_iter().map(|(message, why)| SetAside {
                function: subscription.function.to_owned(),
                message,
                why,
            }));
        }
        Ok(listed)
    }
}
