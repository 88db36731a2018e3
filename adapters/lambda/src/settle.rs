//! The end of an invocation: effects in flight are awaited and committed events published, within bounds.

use florin_queue::relay::relay_batch;
use futures_util::FutureExt;
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
        // Rung by a commit and heard by nobody else here: no relay runs between invocations.
        let rung =
            self.services.iter().filter(|service| service.outbox_ready.notified().now_or_never().is_some());
        let flushes = join_all(rung.map(|service| async {
            if let Err(error) = relay_batch(service, self.publisher.as_ref()).await {
                tracing::warn!(service.name = service.name(), error.message = %error, "the sweep publishes");
            }
        }));
        if timeout_at(flush_ends, flushes).await.is_err() {
            tracing::warn!("publishing took longer than an invocation waits: the sweep publishes the rest");
        }
    }
}
