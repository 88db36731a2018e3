//! A caller waits for the effects of an operation that is accepted: for its final answer, or for how it stands.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::change::{self, Wanted};
use super::command::Asked;
use super::guarded;
use crate::answer::{Answered, Rendered};
use crate::caller::Caller;
use crate::cx::View;
use crate::db::Wall;
use crate::function::Room;
use crate::problem::{Problem, codes};
use crate::rows::operations;
use crate::service::Service;
use crate::stop::{Fault, Stop};

impl Service {
    /// Runs the effects of an open operation in a task that a client's disconnect does not cancel, and waits.
    pub(super) async fn run_and_wait(
        self: &Arc<Self>,
        asked: &Asked<'_>,
        subject: &str,
        wanted: Vec<Wanted>,
    ) -> Result<Answered, Problem> {
        let running = self.spawn_effects(&asked.caller.tenant, wanted.clone());
        let answered = self.wait(asked, &asked.operation_id, subject).await;
        if self.settings.freezes && answered.as_ref().is_ok_and(|a| a.status == 202) {
            // A frozen process would hold the lease and finish nothing: drop the call and hand it back.
            running.abort();
            self.release(&asked.caller.tenant, &wanted).await;
        }
        answered
    }

    /// Waits until an operation is closed, at most as long as the deployment lets a caller wait; then 202.
    pub(super) async fn wait(
        &self,
        asked: &Asked<'_>,
        operation_id: &str,
        subject: &str,
    ) -> Result<Answered, Problem> {
        let patience = Instant::now() + self.settings.wait;
        let until = asked.call.deadline.map_or(patience, |deadline| deadline.min(patience));
        let closed = tokio::time::timeout_at(until, self.until_closed(&asked.caller, operation_id)).await;
        match closed {
            Ok(Ok(answered)) => Ok(Answered { replayed: false, ..answered }),
            Ok(Err(fault)) => Err(under_way(operation_id, Stop::Fault(fault))),
            Err(_) => self.state_now(asked, operation_id, subject).await,
        }
    }

    async fn until_closed(&self, caller: &Caller, operation_id: &str) -> Result<Answered, Fault> {
        let hung = self.operation_closed.hang(operation_id);
        loop {
            // Registered before the look, so that a close between look and wait is not missed.
            let mut bell = std::pin::pin!(hung.bell.notified());
            bell.as_mut().enable();
            let found = async {
                let mut tx = self.db.read(Wall::Tenant(&caller.tenant)).await?;
                operations::by_id(&mut tx, &caller.tenant, operation_id).await
            };
            match found.await.map_err(Fault::Database) {
                Ok(found) => {
                    if let Some(answer) = found.and_then(|o| o.answer()) {
                        return Ok(answer);
                    }
                }
                // It is under way, whatever this look says: the next one is in a second.
                Err(fault) if change::away(&fault) || change::contended(&fault) => {}
                Err(fault) => return Err(fault),
            }
            // Another process may close it, whose bell is not heard here.
            let _ = tokio::time::timeout(Duration::from_secs(1), bell).await;
        }
    }

    /// The state of an open operation: 202, and never stored.
    async fn state_now(
        &self,
        asked: &Asked<'_>,
        operation_id: &str,
        subject: &str,
    ) -> Result<Answered, Problem> {
        let Room::Command(room) = asked.function.room else { return Err(change::internal("no command")) };
        let trace_id = asked.call.trace_id();
        let reading = async {
            let tenant = &asked.caller.tenant;
            let mut tx = self.db.read(Wall::Tenant(tenant)).await?;
            // In the same snapshot: it may have closed at the last moment, and then its answer is the final one.
            let closed = operations::by_id(&mut tx, tenant, operation_id).await?.and_then(|o| o.answer());
            if let Some(answer) = closed {
                return Ok(Rendered::Now(Answered { replayed: false, ..answer }));
            }
            let mut view = View { tx, caller: asked.caller.clone(), now: self.clock.now(), list: None };
            Ok(match (room.answer)(&mut view, subject, &trace_id).await? {
                Rendered::Now(answered) => Rendered::Now(answered.still_open()),
                waiting @ Rendered::Waiting { .. } => waiting,
            })
        };
        match guarded(reading).await {
            Ok(Rendered::Now(answered)) => Ok(answered),
            Ok(Rendered::Waiting { .. }) => Err(change::internal("an answer does not wait")),
            Err(Stop::Refused(problem)) => Err(problem),
            Err(stop) => Err(under_way(operation_id, stop)),
        }
    }
}

/// The problem of an operation that was accepted and whose state cannot be read: a caller who took it for not done
/// would pay twice.
fn under_way(operation_id: &str, why: Stop) -> Problem {
    const NOT_READ: &str = "the state of an operation was not read";
    if change::passes(&why) {
        tracing::warn!(operation.id = operation_id, error.message = why.said(), "{NOT_READ}");
    } else {
        tracing::error!(operation.id = operation_id, error.message = why.said(), "{NOT_READ}");
    }
    codes::OUTCOME_UNKNOWN
        .because("the operation was accepted and is under way; its state could not be read")
        .with("operation_id", operation_id.to_owned())
        .retry_after(Duration::from_secs(1))
}
