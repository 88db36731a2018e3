//! A schedule's way: a tick is a delivery whose id is `job@slot`, so that N replicas run it once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::Instrument;

use super::change::{self, RUNS};
use super::guarded;
use crate::caller::{Caller, TenantId};
use crate::cx::Operation;
use crate::db::{CommitError, DbError, DbResult, Wall};
use crate::failpoint;
use crate::function::{JobRoom, Room, tick_id};
use crate::rows::inbox::{self, Delivery};
use crate::rows::operations::OperationKind;
use crate::rows::purge;
use crate::service::Service;
use crate::stop::Stop;
use crate::trace::{self, TraceParent};

use super::Disposition;

/// The source of ticks.
const SCHEDULE: &str = "/florin/schedule";

/// The jobs that every service has: the sweep of due effects and outbox rows, and the purge of what is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelJob {
    /// Runs due effects. The host publishes the outbox beside it.
    Sweep,
    /// Deletes kernel rows that are over.
    Purge,
}

impl KernelJob {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Sweep, Self::Purge];

    /// What follows the service's name and a dot.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Sweep => "sweep",
            Self::Purge => "purge",
        }
    }

    /// How often a platform's scheduler runs it; a long-lived process sweeps every second besides.
    pub const fn every(self) -> Duration {
        match self {
            Self::Sweep => Duration::from_secs(60),
            Self::Purge => Duration::from_secs(60 * 60),
        }
    }
}

/// How long a slot begins further batches: a platform that ends a function ends it well after this.
const SLOT_LASTS: Duration = Duration::from_secs(10);

/// The most effects of one sweep.
const SWEEP_BATCH: i64 = 64;

impl Service {
    /// The name and period of every job that this process serves: the kernel's, then the service's own.
    pub fn schedules(&self) -> Vec<(String, Duration)> {
        let kernel = KernelJob::ALL.map(|job| (format!("{}.{}", self.name(), job.verb()), job.every()));
        let own = self.served().filter_map(|f| match &f.room {
            Room::Job(job) => Some((f.name.to_owned(), job.every)),
            Room::Command(_) | Room::Query(_) | Room::Reaction(_) | Room::Effect(_) => None,
        });
        kernel.into_iter().chain(own).collect()
    }

    /// Runs a job for the slot that now falls into. An unknown job is left to a release that knows it.
    pub async fn tick(self: &Arc<Self>, job: &str) -> Disposition {
        if self.schema_fits().await.is_err() {
            return Disposition::NotAttempted;
        }
        let kernel = job
            .split_once('.')
            .filter(|(service, _)| *service == self.name())
            .and_then(|(_, verb)| KernelJob::ALL.into_iter().find(|k| k.verb() == verb));
        let ran = match (kernel, self.function(job).map(|f| (f.name, f.room))) {
            (Some(KernelJob::Sweep), _) => self.sweep_tick().await.map(|()| Disposition::Done),
            (Some(KernelJob::Purge), _) => purge::purge(self).await.map(|_| Disposition::Done),
            (None, Some((name, Room::Job(room)))) => self.run_slot(name, &room).await,
            (None, _) => {
                tracing::error!(florin.function = job, "a tick for a job that is not here");
                return Disposition::NotAttempted;
            }
        };
        ran.unwrap_or_else(|error| {
            tracing::warn!(florin.function = job, error.message = %error, "a tick was not run");
            Disposition::NotAttempted
        })
    }

    /// A process that stays does not wait for slow peers: the next sweep finds what is due meanwhile, and the lease
    /// keeps both apart. One that is frozen afterwards must wait.
    async fn sweep_tick(self: &Arc<Self>) -> DbResult<()> {
        let runs = self.sweep_begin(SWEEP_BATCH).await?;
        if self.settings.freezes {
            Self::sweep_end(runs).await?;
        }
        Ok(())
    }

    async fn run_slot(self: &Arc<Self>, name: &'static str, room: &JobRoom) -> DbResult<Disposition> {
        let now = self.clock.now();
        let slot = tick_id(name, room.every, now);
        let tick = Delivery { function: name, source: SCHEDULE, event_id: &slot, tenant: "" };
        let mut tx = self.db.begin(Wall::System).await?;
        if !inbox::enter(&mut tx, tick, now).await? {
            return Ok(Disposition::Duplicate);
        }
        let mut due: Vec<(TenantId, String)> = tx.sql(room.due).bind(now).bind(room.batch).all().await?;
        failpoint::hit(failpoint::JOB_BEFORE_SLOT);
        tx.commit().await.map_err(CommitError::into_error)?;
        failpoint::hit(failpoint::JOB_AFTER_SLOT);
        let trace = TraceParent::span(None);
        let span = tracing::info_span!(
            target: trace::TARGET,
            "job",
            otel.name = format_args!("job {name}"),
            otel.kind = "internal",
            trace.context = trace.as_str(),
            faas.trigger = "timer",
            florin.function = name,
            florin.slot = slot,
            florin.items = tracing::field::Empty,
            trace.ended = tracing::field::Empty,
        );
        let began = Instant::now();
        let batches = async {
            let mut done = 0;
            // A batch that was full says that there is more. What failed comes again first: where nothing got on, the
            // next slot is soon enough.
            loop {
                let full = i64::try_from(due.len()) == Ok(room.batch);
                let got_on = self.run_items(name, room, std::mem::take(&mut due), &trace).await;
                done += got_on;
                if !full || got_on == 0 || began.elapsed() >= SLOT_LASTS {
                    return Ok::<usize, DbError>(done);
                }
                let mut tx = self.db.read(Wall::System).await?;
                due = tx.sql(room.due).bind(self.clock.now()).bind(room.batch).all().await?;
            }
        };
        let done = batches.instrument(span.clone()).await;
        span.record("florin.items", done.as_ref().ok());
        trace::end(&span);
        // The slot is taken: what is left is due at the next one.
        if let Err(error) = done {
            tracing::warn!(florin.function = name, error.message = %error, "a job ended before its work did");
        }
        Ok(Disposition::Done)
    }

    /// Runs these items, each in a transaction of its own; how many were done. One item's failure leaves the others
    /// alone.
    async fn run_items(
        self: &Arc<Self>,
        name: &'static str,
        room: &JobRoom,
        due: Vec<(TenantId, String)>,
        trace: &TraceParent,
    ) -> usize {
        let mut done = 0;
        for (tenant, subject) in due {
            let mut ran = guarded(self.run_item(name, room, &tenant, &subject, trace)).await;
            for _ in 1..RUNS {
                if !matches!(&ran, Err(Stop::Fault(fault)) if change::contended(fault)) {
                    break;
                }
                ran = guarded(self.run_item(name, room, &tenant, &subject, trace)).await;
            }
            match ran {
                Ok(()) => done += 1,
                // It is due at the next tick, when the database may be back.
                Err(stop) if change::passes(&stop) => tracing::warn!(
                    florin.function = name,
                    florin.subject = subject,
                    error.message = stop.said(),
                    "a job's item has to wait"
                ),
                Err(stop) => tracing::error!(
                    florin.function = name,
                    florin.subject = subject,
                    error.message = stop.said(),
                    "a job's item failed"
                ),
            }
        }
        done
    }

    async fn run_item(
        self: &Arc<Self>,
        name: &'static str,
        room: &JobRoom,
        tenant: &TenantId,
        subject: &str,
        trace: &TraceParent,
    ) -> Result<(), Stop> {
        let mut cx = self.begin(&Caller::system(Caller::NOBODY, tenant.clone()), Some(trace)).await?;
        cx.about(subject);
        (room.run)(subject.to_owned(), &mut cx).await?;
        let id = self.ids.new_id::<OperationKind>().to_string();
        let record =
            Operation { id: &id, function: name, outcome: "succeeded", code: None, request_id: None };
        let wanted: Vec<change::Wanted> = self.write(&mut cx, &record, None).await?;
        failpoint::hit(failpoint::JOB_ITEM_BEFORE_COMMIT);
        cx.view.tx.commit().await.map_err(|error| Stop::from(error.into_error()))?;
        failpoint::hit(failpoint::JOB_ITEM_AFTER_COMMIT);
        self.committed();
        self.spawn_effects(tenant, wanted);
        Ok(())
    }
}
