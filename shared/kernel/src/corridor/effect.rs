//! An effect's way: lease, build, send, parse, and the recording command in which the first outcome wins.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tracing::Instrument;

use super::change::{self, RUNS, Wanted};
use super::guarded;
use crate::answer::Rendered;
use crate::caller::{Caller, TenantId};
use crate::cx::{Cx, Operation};
use crate::db::DbResult;
use crate::failpoint;
use crate::function::{EffectRoom, Room};
use crate::metric;
use crate::network::{Outgoing, Parsed, SendError};
use crate::rows::effects::{self, EffectRow, FIRST, Held, LEASE, RENEW_EVERY};
use crate::rows::operations::{self, OperationKind};
use crate::service::Service;
use crate::stop::{Fault, Stop};
use crate::trace::{self, TraceParent};

/// How one run of an effect ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectRun {
    /// Its outcome is recorded, by this run or by another.
    Recorded,
    /// It is due again later.
    Again,
    /// It needs a person.
    NeedsReview,
    /// Another runner holds it.
    Taken,
}

/// One effect being run.
pub(super) type Run = tokio::task::JoinHandle<DbResult<EffectRun>>;

/// When an effect that this release does not know is looked at again.
const UNKNOWN_AGAIN: Duration = Duration::from_secs(300);

/// The most requests of one effect in a run: a token, a few pages.
const STEPS: u32 = 8;

impl Service {
    /// Runs effects that this process holds the lease of, in tasks of their own.
    pub(super) fn spawn_effects(
        self: &Arc<Self>,
        tenant: &TenantId,
        wanted: Vec<Wanted>,
    ) -> tokio::task::AbortHandle {
        let (service, tenant) = (Arc::clone(self), tenant.clone());
        self.effects
            .spawn(async move {
                // At once, because each holds its lease from now on.
                let runs = wanted.iter().map(async |Wanted { id, function }| {
                    if let Err(error) = service.run_leased(&tenant, id, function).await {
                        tracing::warn!(effect.id = %id, error.message = %error, "the sweep will run this effect");
                    }
                });
                futures_util::future::join_all(runs).await;
            })
            .abort_handle()
    }

    /// Hands effects back before the process is frozen.
    pub(super) async fn release(&self, tenant: &TenantId, wanted: &[Wanted]) {
        for Wanted { id, .. } in wanted {
            let now = self.clock.now();
            let held = Held { tenant, id, attempts: FIRST };
            if let Err(error) = effects::again(self, held, now, "handed back at the deadline").await {
                tracing::warn!(effect.id = %id, error.message = %error, "its lease will run out");
            }
        }
    }

    /// Runs the effects that are due, of every tenant; how many were tried. A crash, a lost answer and a frozen
    /// process all end here.
    pub async fn sweep(self: &Arc<Self>, most: i64) -> DbResult<usize> {
        let runs = self.sweep_begin(most).await?;
        let tried = runs.len();
        Self::sweep_end(runs).await?;
        Ok(tried)
    }

    /// Begins to run the effects that are due, each in a task of its own.
    pub(super) async fn sweep_begin(self: &Arc<Self>, most: i64) -> DbResult<Vec<Run>> {
        let due = effects::due(self, most).await?;
        let begin = |(tenant, id, function, attempts): (TenantId, String, String, i64)| {
            let service = Arc::clone(self);
            self.effects.spawn(async move {
                service.run_due(Held { tenant: &tenant, id: &id, attempts }, &function).await
            })
        };
        Ok(due.into_iter().map(begin).collect())
    }

    pub(super) async fn sweep_end(runs: Vec<Run>) -> DbResult<()> {
        for run in futures_util::future::join_all(runs).await {
            match run {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error),
                Err(error) => tracing::error!(error.message = %error, "an effect's task ended"),
            }
        }
        Ok(())
    }

    async fn run_due(self: &Arc<Self>, due: Held<'_>, function: &str) -> DbResult<EffectRun> {
        let Some(room) = self.effect_room(function) else {
            // Another release may know it. Until then it must not stand before those that can be run.
            tracing::error!(effect.id = due.id, florin.function = function, "no such effect in this release");
            let later = self.clock.now().plus(UNKNOWN_AGAIN);
            effects::again(self, due, later, "no such effect in this release").await?;
            return Ok(EffectRun::Again);
        };
        match effects::lease(self, due.tenant, due.id).await? {
            Some(row) => {
                failpoint::hit(failpoint::SWEEP_LEASED);
                self.run_held(&room, row).await
            }
            None => Ok(EffectRun::Taken),
        }
    }

    async fn run_leased(
        self: &Arc<Self>,
        tenant: &TenantId,
        id: &str,
        function: &str,
    ) -> DbResult<EffectRun> {
        let Some(room) = self.effect_room(function) else { return Ok(EffectRun::Again) };
        let mut tx = self.db.read(crate::db::Wall::Tenant(tenant)).await?;
        let row = effects::by_id(&mut tx, tenant, id).await?;
        drop(tx);
        match row {
            Some(row) if row.attempts == FIRST => self.run_held(&room, row).await,
            Some(_) | None => Ok(EffectRun::Taken),
        }
    }

    fn effect_room(&self, function: &str) -> Option<EffectRoom> {
        match self.function(function)?.room {
            Room::Effect(room) => Some(room),
            Room::Command(_) | Room::Query(_) | Room::Reaction(_) | Room::Job(_) => None,
        }
    }

    /// Runs an effect in a span below the one that asked for it, and keeps its lease meanwhile: whoever dies, or
    /// hangs, loses it within seconds.
    async fn run_held(self: &Arc<Self>, room: &EffectRoom, mut row: EffectRow) -> DbResult<EffectRun> {
        let asked: Option<TraceParent> = row.traceparent.as_deref().and_then(|t| t.parse().ok());
        let trace = TraceParent::span(asked.as_ref());
        row.traceparent = Some(trace.to_string());
        let span = tracing::info_span!(
            target: trace::TARGET,
            "effect",
            otel.name = format_args!("effect {}", row.function),
            otel.kind = "internal",
            trace.context = trace.as_str(),
            trace.parent = asked.as_ref().map(TraceParent::span_id),
            florin.function = row.function,
            effect.id = row.id,
            effect.attempts = row.attempts,
            error.type = tracing::field::Empty,
            trace.ended = tracing::field::Empty,
        );
        let running = async {
            tokio::select! {
                run = self.attempt(room, &row) => run,
                never = self.keep(&row) => match never {},
            }
        };
        let run = running.instrument(span.clone()).await;
        match &run {
            Ok(EffectRun::Recorded | EffectRun::Taken) => {}
            Ok(EffectRun::Again) => drop(span.record("error.type", "again")),
            Ok(EffectRun::NeedsReview) => drop(span.record("error.type", "needs_review")),
            Err(_) => drop(span.record("error.type", "database")),
        }
        trace::end(&span);
        run
    }

    /// Renews a lease for as long as this is polled. One that is lost is not fought for, and the run goes on: the
    /// peer knows both by one key, and the first outcome wins.
    async fn keep(&self, row: &EffectRow) -> Infallible {
        let mut next = row.due_at.minus(LEASE);
        loop {
            next = next.plus(RENEW_EVERY);
            self.clock.reaches(next).await;
            match effects::renew(self, row.held()).await {
                Ok(true) => {}
                Ok(false) => {
                    tracing::info!(effect.id = %row.id, effect.attempts = row.attempts, "this run has no lease any more");
                    return std::future::pending().await;
                }
                Err(error) => {
                    tracing::warn!(effect.id = %row.id, error.message = %error, "a lease was not renewed");
                }
            }
        }
    }

    /// One attempt of an effect whose lease is held.
    async fn attempt(self: &Arc<Self>, room: &EffectRoom, row: &EffectRow) -> DbResult<EffectRun> {
        let input: Value = serde_json::from_str(&row.input).unwrap_or(Value::Null);
        if self.clock.now().since(row.created_at) >= room.max_age {
            return self.give_up(room, row, &input).await;
        }
        let exchange = guarded(async { self.exchange(room, row, &input).await.map_err(Stop::retry) });
        let exchanged =
            tokio::time::timeout(room.timeout, exchange).await.map(|done| done.map_err(Stop::said));
        let why = match exchanged {
            Ok(Ok(outcome)) => match self.record(room, row, &input, Some(outcome)).await {
                Ok(run) => return Ok(run),
                Err(why) => why,
            },
            Ok(Err(why)) => why,
            Err(_) => "no answer in time: outcome unknown".to_owned(),
        };
        metrics::counter!(metric::EFFECT_FAILURES.name, "florin.function" => row.function.clone())
            .increment(1);
        self.comes_again(row, &why).await
    }

    /// Ends an effect that is too old. The peer is not asked once more: it may have forgotten the key by now, and would
    /// take a request that it has answered for a new one.
    async fn give_up(
        self: &Arc<Self>,
        room: &EffectRoom,
        row: &EffectRow,
        input: &Value,
    ) -> DbResult<EffectRun> {
        tracing::error!(effect.id = %row.id, effect.attempts = row.attempts, "this effect needs a person");
        match self.record(room, row, input, None).await {
            Ok(run) => Ok(run),
            Err(why) => self.comes_again(row, &why).await,
        }
    }

    async fn comes_again(&self, row: &EffectRow, why: &str) -> DbResult<EffectRun> {
        tracing::warn!(effect.id = %row.id, effect.attempts = row.attempts, error.message = why, "effect comes again");
        let due = self.clock.now().plus(backoff(row.attempts));
        effects::again(self, row.held(), due, why).await?;
        Ok(EffectRun::Again)
    }

    /// Talks to the peer until there is an outcome; else why there is none.
    async fn exchange(&self, room: &EffectRoom, row: &EffectRow, input: &Value) -> Result<Value, String> {
        let key = (room.key)(input).map_err(Stop::said)?;
        let mut request = (room.build)(input).map_err(Stop::said)?;
        for step in 0..STEPS {
            let outgoing = Outgoing {
                peer: room.peer,
                request,
                key: key.clone(),
                traceparent: row.traceparent.clone(),
                timeout: room.timeout,
            };
            failpoint::hit(failpoint::EFFECT_BEFORE_CALL);
            let sending = self.network.send(outgoing);
            let response = match failpoint::during(failpoint::EFFECT_DURING_CALL, sending).await {
                Ok(response) => response,
                Err(SendError::NotSent(why)) => return Err(format!("not sent: {why}")),
                Err(SendError::Unknown(why)) => return Err(format!("outcome unknown: {why}")),
            };
            failpoint::hit(failpoint::EFFECT_AFTER_CALL);
            match (room.parse)(input, step, &response).map_err(Stop::said)? {
                Parsed::Outcome(outcome) => return Ok(outcome),
                Parsed::Further(next) => request = next,
                Parsed::NotSent(why) => return Err(format!("not sent: {why}")),
                Parsed::Unknown(why) => return Err(format!("outcome unknown: {why}")),
            }
        }
        Err(format!("no outcome after {STEPS} requests"))
    }

    /// tx2: the outcome, or that there is none, with its events and record; and the waiting operation's answer.
    async fn record(
        self: &Arc<Self>,
        room: &EffectRoom,
        row: &EffectRow,
        input: &Value,
        outcome: Option<Value>,
    ) -> Result<EffectRun, String> {
        let mut why = String::new();
        for _ in 0..RUNS {
            match guarded(self.record_once(room, row, input, outcome.clone())).await {
                Ok(run) => {
                    self.committed();
                    if let Some(id) = &row.operation_id {
                        self.operation_closed.ring(id);
                    }
                    return Ok(run);
                }
                Err(Stop::Fault(fault)) if change::contended(&fault) => why = fault.to_string(),
                Err(Stop::Fault(fault)) => return Err(fault.to_string()),
                Err(Stop::Refused(problem)) => {
                    return Err(format!("{}: {}", problem.code.code, problem.detail));
                }
                Err(Stop::Retry { why, .. }) => return Err(why),
            }
        }
        Err(why)
    }

    async fn record_once(
        self: &Arc<Self>,
        room: &EffectRoom,
        row: &EffectRow,
        input: &Value,
        outcome: Option<Value>,
    ) -> Result<EffectRun, Stop> {
        let caller = Caller::system(Caller::NOBODY, row.tenant.clone());
        let trace: Option<TraceParent> = row.traceparent.as_deref().and_then(|t| t.parse().ok());
        let mut cx = self.begin(&caller, trace.as_ref()).await?;
        let (state, run) = match outcome {
            Some(_) => ("done", EffectRun::Recorded),
            None => ("needs_review", EffectRun::NeedsReview),
        };
        let now = cx.now();
        if !effects::finish(&mut cx.view.tx, &row.tenant, &row.id, state, now).await? {
            return Ok(EffectRun::Recorded);
        }
        cx.about(&row.subject);
        match outcome {
            Some(outcome) => (room.record)(input.clone(), outcome, &mut cx).await?,
            None => (room.unresolved)(input.clone(), &mut cx).await?,
        }
        let run = match cx.review.take() {
            Some(why) => {
                effects::leave_to_person(&mut cx.view.tx, &row.tenant, &row.id, &why).await?;
                EffectRun::NeedsReview
            }
            None => run,
        };
        let answered = self.close_waiting(&mut cx, row).await?;
        let (outcome, code) = match (&answered, run) {
            (_, EffectRun::NeedsReview) => ("needs_review", None),
            (Some(answered), _) => change::outcome_of(answered),
            (None, _) => ("succeeded", None),
        };
        let id = self.ids.new_id::<OperationKind>().to_string();
        let record = Operation {
            id: &id,
            function: room.record_name,
            outcome,
            code: code.as_deref(),
            request_id: None,
        };
        let wanted = self.write(&mut cx, &record, None).await?;
        failpoint::hit(failpoint::RECORD_BEFORE_COMMIT);
        // Unknown or failed, the guard above makes another attempt harmless.
        cx.view.tx.commit().await.map_err(|error| Stop::Fault(Fault::Database(error.into_error())))?;
        failpoint::hit(failpoint::RECORD_AFTER_COMMIT);
        self.spawn_effects(&row.tenant, wanted);
        Ok(run)
    }

    /// Closes the operation that waits for this effect with the answer its command makes of the subject.
    async fn close_waiting(
        &self,
        cx: &mut Cx,
        row: &EffectRow,
    ) -> Result<Option<crate::answer::Answered>, Stop> {
        let (Some(id), Some(function)) = (&row.operation_id, &row.operation_function) else {
            return Ok(None);
        };
        let Some(Room::Command(command)) = self.function(function).map(|f| f.room) else {
            return Err(Stop::fault(format!("{function} is not a command of this release")));
        };
        let trace_id = cx.trace.as_ref().map(|t| t.trace_id().to_owned()).unwrap_or_default();
        match (command.answer)(&mut cx.view, &row.subject, &trace_id).await? {
            Rendered::Now(answered) => {
                operations::close(&mut cx.view.tx, &row.tenant, id, &answered).await?;
                Ok(Some(answered))
            }
            Rendered::Waiting { .. } => Err(Stop::fault(format!("{function} still waits after its outcome"))),
        }
    }
}

/// 1 s, 2 s, 4 s ... at most 5 minutes.
fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(9);
    Duration::from_secs(1 << doublings).min(Duration::from_secs(300))
}
