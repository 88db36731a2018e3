//! A command's way: the key, the room, and one transaction for the change and all that tells of it.

use std::sync::Arc;
use std::time::Duration;

use super::change::{self, RUNS, Wanted};
use super::{HttpCall, guarded, input};
use crate::answer::{Answered, Rendered};
use crate::caller::Caller;
use crate::cx::{Cx, Operation};
use crate::db::{CommitError, Trouble};
use crate::door::{Access, Reads};
use crate::failpoint;
use crate::function::{CommandRoom, Function};
use crate::input::Input;
use crate::metric;
use crate::problem::{Problem, codes};
use crate::rows::operations::{self, Opening, OperationKind};
use crate::service::Service;
use crate::stop::{Fault, Stop};

/// One change that was asked for.
pub(super) struct Asked<'a> {
    pub(super) function: &'static Function,
    room: &'a CommandRoom,
    pub(super) call: &'a HttpCall,
    pub(super) caller: Caller,
    input: Input,
    pub(super) operation_id: String,
    fingerprint: String,
}

/// How one run of the room ended.
enum Ran {
    /// With the final answer.
    Answered(Answered),
    /// With an operation that waits for effects of ours.
    Waiting { subject: String, wanted: Vec<Wanted> },
    /// The key, or this very operation, stands already.
    Found(operations::Operation),
}

impl Service {
    pub(super) async fn command(
        self: &Arc<Self>,
        function: &'static Function,
        room: &CommandRoom,
        call: &HttpCall,
        caller: Caller,
    ) -> Result<Answered, Problem> {
        let input = input(&room.at, call)?;
        (room.check)(&input)?;
        if let Some(key) = &call.idempotency_key
            && !(1..=255).contains(&key.len())
        {
            return Err(codes::INVALID_REQUEST.because("Idempotency-Key has 1 to 255 characters"));
        }
        let asked = Asked {
            function,
            room,
            call,
            caller,
            input,
            operation_id: self.ids.new_id::<OperationKind>().to_string(),
            fingerprint: fingerprint(room, call),
        };
        match self.run(&asked).await? {
            Ran::Answered(answered) => Ok(answered),
            Ran::Waiting { subject, wanted } => self.run_and_wait(&asked, &subject, wanted).await,
            Ran::Found(found) => self.found(&asked, found).await,
        }
    }

    /// Runs the room, again while the database says that another run may succeed.
    async fn run(&self, asked: &Asked<'_>) -> Result<Ran, Problem> {
        for last in (0..RUNS).rev() {
            match guarded(self.once(asked)).await {
                Ok(ran) => return Ok(ran),
                Err(Stop::Refused(problem)) => return Err(problem),
                Err(Stop::Retry { why, .. }) => {
                    return Err(codes::UNAVAILABLE.because(why).retry_after(Duration::from_secs(1)));
                }
                Err(Stop::Fault(fault)) if last > 0 && change::contended(&fault) => {
                    metrics::counter!(metric::ROOM_RERUNS.name).increment(1);
                }
                Err(Stop::Fault(fault)) => return Err(change::fault_problem(&fault)),
            }
        }
        Err(change::internal("the loop above returns"))
    }

    /// One run: one transaction.
    async fn once(&self, asked: &Asked<'_>) -> Result<Ran, Stop> {
        let Asked { call, caller, .. } = asked;
        let mut cx = self.begin(caller, call.trace.as_ref()).await?;
        let opening = Opening {
            id: &asked.operation_id,
            tenant: &caller.tenant,
            client: &caller.client,
            key: call.idempotency_key.as_deref(),
            fingerprint: &asked.fingerprint,
            function: asked.function.name,
            now: cx.now(),
        };
        match operations::open(&mut cx.view.tx, &opening).await {
            Ok(true) => {}
            Ok(false) => return self.standing(asked, cx).await,
            Err(error) if error.trouble() == Trouble::Locked && call.idempotency_key.is_some() => {
                return Err(in_use().into());
            }
            Err(error) => return Err(error.into()),
        }
        cx.view.tx.savepoint().await?;
        let trace_id = call.trace_id();
        // Only the room is bounded: a COMMIT that is under way is awaited, so that the answer is true.
        let room = (asked.room.run)(&asked.input, &mut cx, &trace_id);
        let answered = match change::in_time(call.deadline, room).await {
            Ok(Rendered::Now(answered)) => answered,
            Ok(Rendered::Waiting { subject }) => return self.leave_open(asked, cx, subject).await,
            // Whoever has no token leaves nothing behind: neither rows nor a record in a tenant's trail.
            Err(Stop::Refused(problem)) if asked.room.at.door.access == Access::Public => {
                metrics::counter!(metric::PUBLIC_REFUSALS.name, "florin.code" => problem.code.code)
                    .increment(1);
                return Err(problem.into());
            }
            Err(Stop::Refused(problem)) => {
                cx.view.tx.back_to_savepoint().await?;
                (cx.emitted, cx.asked) = (Vec::new(), Vec::new());
                Answered::refused(&asked.room.at.door, &problem, &trace_id)
            }
            Err(stop) => return Err(stop),
        };
        let (outcome, code) = change::outcome_of(&answered);
        let record = self.record_of(asked, outcome, code.as_deref());
        self.write(&mut cx, &record, None).await?;
        operations::close(&mut cx.view.tx, &caller.tenant, &asked.operation_id, &answered).await?;
        failpoint::hit(failpoint::COMMAND_BEFORE_COMMIT);
        match cx.view.tx.commit().await {
            Ok(()) => {
                failpoint::hit(failpoint::COMMAND_AFTER_COMMIT);
                self.committed();
                Ok(Ran::Answered(answered))
            }
            Err(CommitError::Failed(error)) => Err(error.into()),
            Err(CommitError::Unknown(error)) => self.look_up(asked, &error.to_string()).await,
        }
    }

    /// Commits an operation that waits for the effects it asked for.
    async fn leave_open(&self, asked: &Asked<'_>, mut cx: Cx, subject: String) -> Result<Ran, Stop> {
        if !asked.room.at.door.waits {
            return Err(Stop::fault(format!("{} waits and its door does not say so", asked.function.name)));
        }
        cx.about.get_or_insert_with(|| subject.clone());
        let id = asked.operation_id.as_str();
        operations::wait_for(&mut cx.view.tx, &asked.caller.tenant, id, &subject).await?;
        let record = self.record_of(asked, "accepted", None);
        let wanted = self.write(&mut cx, &record, Some((id, asked.function.name))).await?;
        if wanted.is_empty() {
            return Err(Stop::fault(format!("{} waits and asked for no effect", asked.function.name)));
        }
        failpoint::hit(failpoint::COMMAND_BEFORE_COMMIT);
        match cx.view.tx.commit().await {
            Ok(()) => {
                failpoint::hit(failpoint::COMMAND_AFTER_COMMIT);
                self.committed();
                Ok(Ran::Waiting { subject, wanted })
            }
            Err(CommitError::Failed(error)) => Err(error.into()),
            // If it committed, the sweep runs the effects: this process does not know their lease held.
            Err(CommitError::Unknown(error)) => self.look_up(asked, &error.to_string()).await,
        }
    }

    fn record_of<'a>(&self, asked: &'a Asked<'_>, outcome: &'a str, code: Option<&'a str>) -> Operation<'a> {
        Operation {
            id: &asked.operation_id,
            function: asked.function.name,
            outcome,
            code,
            request_id: asked.call.request_id.as_deref(),
        }
    }

    /// The operation that holds this key or this identifier.
    async fn standing(&self, asked: &Asked<'_>, mut cx: Cx) -> Result<Ran, Stop> {
        let Asked { call, caller, operation_id, .. } = asked;
        let tx = &mut cx.view.tx;
        let mut found = operations::by_id(tx, &caller.tenant, operation_id).await?;
        if let (None, Some(key)) = (&found, &call.idempotency_key) {
            found = operations::by_key(tx, &caller.tenant, &caller.client, key).await?;
        }
        cx.view.tx.rollback().await?;
        match found {
            // The holder rolled back or was purged between our insert and this look: the next run sees.
            None => Err(Stop::Fault(Fault::Database(crate::db::DbError::said(
                Trouble::Contended,
                "the idempotency key was given up meanwhile",
            )))),
            Some(found) => Ok(Ran::Found(found)),
        }
    }

    /// Whether a lost COMMIT happened, asked on another connection. Opening the same operation again waits for
    /// a COMMIT that is still under way, and finds it if it was made.
    async fn look_up(&self, asked: &Asked<'_>, lost: &str) -> Result<Ran, Stop> {
        tracing::warn!(operation.id = %asked.operation_id, error.message = lost, "COMMIT lost: looking it up");
        for _ in 0..RUNS {
            let Ok(mut cx) = self.begin(&asked.caller, None).await else { continue };
            let opening = Opening {
                id: &asked.operation_id,
                tenant: &asked.caller.tenant,
                client: &asked.caller.client,
                // Without the key: only this identifier is asked about, and the transaction rolls back.
                key: None,
                fingerprint: &asked.fingerprint,
                function: asked.function.name,
                now: cx.now(),
            };
            match operations::open(&mut cx.view.tx, &opening).await {
                // It was not made, and what was begun is gone: run the room again.
                Ok(true) => {
                    return Err(Stop::Fault(Fault::Database(crate::db::DbError::said(
                        Trouble::Contended,
                        "the lost COMMIT was not made",
                    ))));
                }
                Ok(false) => return self.standing(asked, cx).await,
                Err(_) => {}
            }
        }
        Err(codes::OUTCOME_UNKNOWN
            .because("the connection was lost during COMMIT and could not be looked up")
            .with("operation_id", asked.operation_id.clone())
            .retry_after(Duration::from_secs(1))
            .into())
    }

    /// What a repeated key, or an operation found again, is answered.
    async fn found(
        self: &Arc<Self>,
        asked: &Asked<'_>,
        found: operations::Operation,
    ) -> Result<Answered, Problem> {
        if found.fingerprint.as_deref() != Some(asked.fingerprint.as_str())
            || found.function != asked.function.name
        {
            return Err(codes::IDEMPOTENCY_KEY_REUSED
                .because("the Idempotency-Key was used with another method, path or body"));
        }
        let own = found.id == asked.operation_id;
        if let Some(answer) = found.answer() {
            return Ok(Answered { replayed: !own, ..answer });
        }
        let Some(subject) = found.subject else { return Err(in_use()) };
        let answered = self.wait(asked, &found.id, &subject).await?;
        Ok(Answered { replayed: answered.status != 202 && !own, ..answered })
    }
}

fn in_use() -> Problem {
    codes::IDEMPOTENCY_KEY_IN_USE
        .because("a request with this Idempotency-Key has not finished")
        .retry_after(Duration::from_secs(1))
}

/// SHA-256 of method, route, path, query, named header fields and body; at a public door, of its cookies too.
fn fingerprint(room: &CommandRoom, call: &HttpCall) -> String {
    let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let door = room.at.door;
    for part in [door.method.as_str().as_bytes(), door.path.as_bytes(), call.path.as_bytes()] {
        hash.update(part);
        hash.update(&[0]);
    }
    for (name, value) in &call.query {
        hash.update(name.as_bytes());
        hash.update(&[0]);
        hash.update(value.as_bytes());
        hash.update(&[0]);
    }
    for reads in door.named() {
        // A cookie says who asks, as a token does. Where there is no token, strangers share their keys, and nothing else
        // keeps one's answer from another.
        let who = matches!(reads, Reads::Cookie { .. }) && door.access != Access::Public;
        if let (false, Some(value)) = (who, call.read(reads)) {
            hash.update(reads.field().as_bytes());
            hash.update(&[0]);
            hash.update(value.as_bytes());
            hash.update(&[0]);
        }
    }
    hash.update(&call.body);
    hex::encode(hash.finish())
}
