//! What every change has in common: the context it runs in, and all that commits with it.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;

use crate::answer::Answered;
use crate::caller::Caller;
use crate::cx::{Cx, Operation, View};
use crate::db::{DbResult, Trouble, Tx, Wall};
use crate::event::TraceParent;
use crate::function::Room;
use crate::metric;
use crate::problem::{Problem, codes};
use crate::rows::{effects, outbox};
use crate::service::Service;
use crate::stop::{Fault, Stop};

/// How often a room is run again after a serialization failure, a deadlock or SQLite BUSY.
pub(super) const RUNS: u32 = 3;

/// An effect that a commit left wanted and leased to this process.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) id: String,
    pub(crate) function: &'static str,
}

impl Service {
    /// Begins a change inside the caller's tenant.
    pub(super) async fn begin(&self, caller: &Caller, trace: Option<&TraceParent>) -> DbResult<Cx> {
        Ok(self.context(self.db.begin(Wall::Tenant(&caller.tenant)).await?, caller, trace))
    }

    /// The context of a change in this transaction.
    pub(super) fn context(&self, tx: Tx, caller: &Caller, trace: Option<&TraceParent>) -> Cx {
        Cx {
            view: View { tx, caller: caller.clone(), now: self.clock.now(), list: None },
            ids: self.ids.clone(),
            source: self.definition.source(),
            address: self.settings.address.clone(),
            trace: trace.cloned(),
            about: None,
            emitted: Vec::new(),
            asked: Vec::new(),
            review: None,
        }
    }

    /// Writes what a change emitted and asked for, and its record, into its transaction.
    pub(super) async fn write(
        &self,
        cx: &mut Cx,
        record: &Operation<'_>,
        waiting: Option<(&str, &'static str)>,
    ) -> Result<Vec<Wanted>, Stop> {
        let mut events = std::mem::take(&mut cx.emitted);
        if self.definition.audited {
            events.push(cx.operation_record(record));
        }
        let (tenant, now) = (cx.tenant(), cx.now());
        outbox::insert(&mut cx.view.tx, &tenant, now, &events).await?;
        if self.settings.freezes {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            written.extend(events.iter().map(|event| event.id.clone()));
        }
        let traceparent = cx.trace.as_ref().map(|t| t.as_str().to_owned());
        let mut wanted = Vec::new();
        for asked in std::mem::take(&mut cx.asked) {
            let Some(Room::Effect(_)) = self.function(asked.name).map(|f| f.room) else {
                return Err(Stop::fault(format!("{} is not an effect of this service", asked.name)));
            };
            let id = self.ids.new_id::<effects::EffectKind>().to_string();
            let by = effects::AskedBy {
                tenant: &tenant,
                operation: waiting,
                traceparent: traceparent.as_deref(),
                now,
            };
            effects::insert(&mut cx.view.tx, &id, &asked, by).await?;
            wanted.push(Wanted { id, function: asked.name });
        }
        Ok(wanted)
    }

    /// After a commit: wakes the relay.
    pub(super) fn committed(&self) {
        self.outbox_ready.notify_one();
    }
}

/// Whether to run the whole room again.
pub(super) fn contended(fault: &Fault) -> bool {
    matches!(fault.trouble(), Some(Trouble::Contended | Trouble::Locked))
}

/// Whether the database is away.
pub(super) fn away(fault: &Fault) -> bool {
    fault.trouble() == Some(Trouble::Away)
}

/// Whether it is over when the database is back or less busy: nobody has to look for what is wrong.
pub(super) fn passes(stop: &Stop) -> bool {
    matches!(stop, Stop::Fault(fault) if away(fault) || contended(fault))
}

/// What a caller hears of a fault. It is logged here, once, and the caller hears no names.
pub(super) fn fault_problem(fault: &Fault) -> Problem {
    if contended(fault) || away(fault) {
        tracing::warn!(error.message = %fault, "the database is away or contended");
        metrics::counter!(metric::DATABASE_UNAVAILABLE.name).increment(1);
        return codes::UNAVAILABLE
            .because("the database is away or busy")
            .retry_after(Duration::from_secs(1));
    }
    count(fault);
    codes::INTERNAL.because("the fault is logged under this trace id")
}

/// Logs a fault, once, and counts it. The span it happens in has its names.
pub(super) fn count(fault: &Fault) {
    if !matches!(fault, Fault::Panic(_)) {
        tracing::error!(error.message = %fault, "fault");
    }
    metrics::counter!(metric::FAULTS.name).increment(1);
}

/// What a caller hears of something that cannot be, and is.
pub(super) fn internal(what: &str) -> Problem {
    fault_problem(&Fault::Other(what.into()))
}

const OUT_OF_TIME: &str = "there was not enough time left; nothing was changed";

/// Bounds a room by what the platform leaves it. Out of time is a fault of the moment: nothing is changed or stored.
pub(super) async fn in_time<T>(
    deadline: Option<Instant>,
    room: impl Future<Output = Result<T, Stop>>,
) -> Result<T, Stop> {
    match deadline {
        None => room.await,
        Some(deadline) => tokio::time::timeout_at(deadline, room)
            .await
            .unwrap_or_else(|_| Err(Stop::Retry { after: None, why: OUT_OF_TIME.to_owned() })),
    }
}

/// The outcome and code that an operation's record names.
pub(super) fn outcome_of(answered: &Answered) -> (&'static str, Option<String>) {
    let code = || {
        serde_json::from_slice::<serde_json::Value>(&answered.body)
            .ok()
            .and_then(|body| body.get("code").or_else(|| body.get("error"))?.as_str().map(str::to_owned))
    };
    match answered.status {
        402 => ("declined", code()),
        status if status >= 400 => ("refused", code()),
        _ => ("succeeded", None),
    }
}
