//! Publishing: one transaction for a batch, one row for every queue that wants the event.

use std::collections::BTreeSet;

use florin_kernel::db::{CommitError, DbResult};
use florin_kernel::event::Event;

use super::store::Store;
use crate::cloudevents::encode_structured;
use crate::port::PublishError;

impl Store {
    /// Stores a batch, all of it or nothing, and then rings the bells of the queues that got something. An event
    /// that CloudEvents does not allow is refused alone.
    pub(super) async fn publish(&self, events: &[Event]) -> Vec<Result<(), PublishError>> {
        let encoded: Vec<Result<String, PublishError>> = events.iter().map(encoded).collect();
        let batch: Vec<(&str, &str)> = events
            .iter()
            .zip(&encoded)
            .filter_map(|(event, text)| Some((event.kind.as_str(), text.as_ref().ok()?.as_str())))
            .collect();
        let stored = if batch.is_empty() { Ok(()) } else { self.enqueue(&batch).await };
        let stored = stored.map_err(|error| PublishError::NotConfirmed(error.to_string()));
        encoded.into_iter().map(|text| text.and_then(|_| stored.clone())).collect()
    }

    async fn enqueue(&self, batch: &[(&str, &str)]) -> DbResult<()> {
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let declared = self.declared(&mut tx).await?;
        let mut rung = BTreeSet::new();
        for (kind, text) in batch {
            for subscription in &declared {
                if !subscription.on.iter().any(|pattern| pattern.matches(kind)) {
                    continue;
                }
                tx.sql(
                    "INSERT INTO queue_messages (queue, due_at, enqueued_at, lost, event)
                     VALUES ($1, $2, $2, 0, $3)",
                )
                .bind(subscription.queue.clone())
                .bind(now)
                .bind((*text).to_owned())
                .run()
                .await?;
                rung.insert(subscription.queue.as_str());
            }
        }
        tx.commit().await.map_err(CommitError::into_error)?;
        for queue in rung {
            self.bell(queue).notify_one();
        }
        Ok(())
    }
}

fn encoded(event: &Event) -> Result<String, PublishError> {
    let bytes = encode_structured(event).map_err(|error| PublishError::Refused(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| PublishError::Refused(error.to_string()))
}
