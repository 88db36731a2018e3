//! The end of an invocation: effects in flight are awaited and committed events published, within bounds.

use florin_queue::relay::relay_these;
use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::budget::{Budget, FLUSH};

impl App {
    /// Waits for effects until `effects_end`, then publishes what this process committed. Whatever is not done
    /// then has a lease that runs out, and the sweep does it: nothing here can fail an invocation.
    pub(crate) async fn settle(&self, effects_end: Instant, budget: Budget) {
        let effects_end = effects_end.min(budget.work_ends);
        let effects = join_all(self.services.iter().map(|service| service.drain()));
        if timeout_at(effects_end, effects).await.is_err() {
            tracing::warn!("effects are in flight at the end of the invocation: the sweep runs them again");
        }
        let flush_ends = (Instant::now() + FLUSH).min(budget.answer_is_due);
        // Its own alone: what others left behind would use up the time, and is the sweep's.
        let written = self.services.iter().map(|service| (service, service.take_written()));
        let flushes = join_all(written.filter(|(_, ids)| !ids.is_empty()).map(async |(service, ids)| {
            if let Err(error) = relay_these(service, self.publisher.as_ref(), &ids).await {
                tracing::warn!(service.name = service.name(), error.message = %error, "the sweep publishes");
            }
        }));
        if timeout_at(flush_ends, flushes).await.is_err() {
            tracing::warn!("publishing took longer than an invocation waits: the sweep publishes the rest");
        }
    }
}
