//! A delivery's way: the inbox, the reaction, and a disposition that the commit alone decides.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument;

use super::change::{self, RUNS};
use super::guarded;
use crate::caller::{Caller, TenantId};
use crate::cx::Operation;
use crate::db::{CommitError, Wall};
use crate::event::Event;
use crate::failpoint;
use crate::function::{Function, ReactionRoom, Room};
use crate::metric;
use crate::rows::dead_letters::{self, Cause, DeadLetterKind};
use crate::rows::inbox::{self, Delivery};
use crate::rows::operations::OperationKind;
use crate::service::Service;
use crate::stop::Stop;
use crate::trace::{self, TraceParent};

/// What a transport does with a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The change is committed.
    Done,
    /// It was committed before.
    Duplicate,
    /// Not yet: deliver it again after this.
    Retry {
        /// How long to wait.
        after: Duration,
    },
    /// Never: it is stored as a dead letter under this code.
    Permanent {
        /// The stable code.
        code: String,
    },
    /// Nobody tried: a deadline, a shutdown, a database that is away. It costs no attempt.
    NotAttempted,
}

impl Disposition {
    /// Its name in metrics and spans.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Duplicate => "duplicate",
            Self::Retry { .. } => "retry",
            Self::Permanent { .. } => "permanent",
            Self::NotAttempted => "not_attempted",
        }
    }

    /// What a span calls the failure; none where the delivery is dealt with.
    fn error(&self) -> Option<&str> {
        match self {
            Self::Done | Self::Duplicate => None,
            Self::Permanent { code } => Some(code),
            Self::Retry { .. } | Self::NotAttempted => Some(self.name()),
        }
    }
}

/// The ladder of delays between attempts; the last one repeats.
pub const LADDER: [Duration; 7] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
    Duration::from_secs(1_800),
    Duration::from_secs(3_600),
];

impl Service {
    /// Delivers an event to one function. `time_left` is the platform's deadline minus a margin.
    pub async fn deliver(
        self: &Arc<Self>,
        function: &str,
        event: Event,
        time_left: Option<Duration>,
    ) -> Disposition {
        let Some(Function { name, room: Room::Reaction(room), .. }) = self.function(function) else {
            // A queue of a function this release does not have: another release may.
            tracing::error!(florin.function = function, "a delivery for a function that is not here");
            return Disposition::NotAttempted;
        };
        if time_left.is_some_and(|left| left.is_zero()) {
            return Disposition::NotAttempted;
        }
        let produced: Option<TraceParent> = event.extension("traceparent").and_then(|t| t.parse().ok());
        let trace = TraceParent::span(produced.as_ref());
        let span = tracing::info_span!(
            target: trace::TARGET,
            "process",
            otel.name = format_args!("process {name}"),
            otel.kind = "consumer",
            trace.context = trace.as_str(),
            trace.parent = produced.as_ref().map(TraceParent::span_id),
            trace.link = produced.as_ref().map(TraceParent::as_str),
            messaging.system = self.settings.messaging_system,
            messaging.operation.name = "process",
            messaging.operation.type = "process",
            messaging.destination.name = name,
            messaging.message.id = event.id,
            cloudevents.event_id = event.id,
            cloudevents.event_source = event.source,
            cloudevents.event_type = event.kind,
            florin.function = name,
            florin.disposition = tracing::field::Empty,
            error.type = tracing::field::Empty,
            trace.ended = tracing::field::Empty,
        );
        let began = Instant::now();
        let delivering = self.deliver_traced(name, room, &event, &trace).instrument(span.clone());
        let disposition = match time_left {
            None => delivering.await,
            // All of it: three runs of the room, the count of a failure and a dead letter have one deadline.
            Some(left) => tokio::time::timeout(left, delivering).await.unwrap_or(Disposition::NotAttempted),
        };
        span.record("florin.disposition", disposition.name());
        if let Some(error) = disposition.error() {
            span.record("error.type", error);
        }
        trace::end(&span);
        let took = began.elapsed();
        // In its span, which the exemplars name.
        span.in_scope(|| self.measure(name, &event, &disposition, took));
        disposition
    }

    fn measure(&self, name: &'static str, event: &Event, disposition: &Disposition, took: Duration) {
        let system = self.settings.messaging_system;
        metrics::histogram!(
            metric::PROCESS_DURATION.name,
            "messaging.system" => system,
            "messaging.operation.name" => "process",
            "messaging.destination.name" => name,
            "error.type" => disposition.error().unwrap_or_default().to_owned(),
        )
        .record(took.as_secs_f64());
        metrics::counter!(
            metric::CONSUMED_MESSAGES.name,
            "messaging.system" => system,
            "messaging.operation.name" => "process",
            "messaging.destination.name" => name,
        )
        .increment(1);
        metrics::counter!(
            metric::DELIVERIES.name,
            "florin.function" => name,
            "florin.disposition" => disposition.name(),
        )
        .increment(1);
        if let (Disposition::Done, Some(happened)) = (disposition, event.time) {
            let lag = self.clock.now().since(happened);
            metrics::histogram!(metric::DELIVERY_LAG.name, "florin.function" => name)
                .record(lag.as_secs_f64());
        }
    }

    async fn deliver_traced(
        self: &Arc<Self>,
        name: &'static str,
        room: &ReactionRoom,
        event: &Event,
        trace: &TraceParent,
    ) -> Disposition {
        if self.schema_fits().await.is_err() {
            return Disposition::NotAttempted;
        }
        let tenant = event.extension("tenant").unwrap_or_default().to_owned();
        let delivery =
            Delivery { function: name, source: &event.source, event_id: &event.id, tenant: &tenant };
        let Ok(tenant_id) = tenant.parse::<TenantId>() else {
            let nobody = Delivery { tenant: "", ..delivery };
            return self.bury(nobody, event, "tenant_missing", "the event names no valid tenant", 0).await;
        };
        // A queue is bound to the types that are wanted; a door takes what it is sent.
        if !room.on.iter().any(|wanted| wanted.matches(&event.kind)) {
            let detail = format!("{name} does not react to {}", event.kind);
            return self.bury(delivery, event, "type_not_wanted", &detail, 0).await;
        }
        let mut failure = String::new();
        for _ in 0..RUNS {
            match guarded(self.react(room, delivery, event, &tenant_id, trace)).await {
                Ok(disposition) => return disposition,
                Err(Stop::Refused(problem)) => {
                    return self.bury(delivery, event, problem.code.code, &problem.detail, 1).await;
                }
                Err(Stop::Retry { after, why }) => {
                    return self.count(delivery, event, "retry", &why, after).await;
                }
                Err(Stop::Fault(fault)) if change::away(&fault) => {
                    tracing::warn!(error.message = %fault, "the database is away");
                    return Disposition::NotAttempted;
                }
                Err(Stop::Fault(fault)) if change::contended(&fault) => failure = fault.to_string(),
                Err(Stop::Fault(fault)) => {
                    change::count(&fault);
                    return self.count(delivery, event, "internal", &fault.to_string(), None).await;
                }
            }
        }
        self.count(delivery, event, "contended", &failure, None).await
    }

    async fn react(
        self: &Arc<Self>,
        room: &ReactionRoom,
        delivery: Delivery<'_>,
        event: &Event,
        tenant: &TenantId,
        trace: &TraceParent,
    ) -> Result<Disposition, Stop> {
        let caller = Caller::system(Caller::NOBODY, tenant.clone());
        let mut cx = self.begin(&caller, Some(trace)).await?;
        let now = cx.now();
        if !inbox::enter(&mut cx.view.tx, delivery, now).await? {
            return Ok(Disposition::Duplicate);
        }
        failpoint::hit(failpoint::DELIVERY_INBOX);
        (room.run)(event.clone(), &mut cx).await?;
        let id = self.ids.new_id::<OperationKind>().to_string();
        let record = Operation {
            id: &id,
            function: delivery.function,
            outcome: "succeeded",
            code: None,
            request_id: None,
        };
        let wanted = self.write(&mut cx, &record, None).await?;
        failpoint::hit(failpoint::DELIVERY_BEFORE_COMMIT);
        match cx.view.tx.commit().await {
            Ok(()) => {
                failpoint::hit(failpoint::DELIVERY_BEFORE_ACK);
                self.committed();
                self.spawn_effects(tenant, wanted);
                Ok(Disposition::Done)
            }
            Err(CommitError::Failed(error)) => Err(error.into()),
            // If it was made, the redelivery is a duplicate.
            Err(CommitError::Unknown(_)) => Ok(Disposition::NotAttempted),
        }
    }

    /// Counts a failed attempt in a transaction of its own; the last one is a dead letter.
    async fn count(
        &self,
        delivery: Delivery<'_>,
        event: &Event,
        code: &str,
        why: &str,
        after: Option<Duration>,
    ) -> Disposition {
        let counted = async {
            let mut tx = self.db.begin(Wall::System).await?;
            let attempts = inbox::failed(&mut tx, delivery, why, self.clock.now()).await?;
            tx.commit().await.map_err(CommitError::into_error)?;
            failpoint::hit(failpoint::DELIVERY_ATTEMPT_COUNTED);
            Ok::<i64, crate::db::DbError>(attempts)
        };
        match counted.await {
            Err(error) => {
                tracing::warn!(error.message = %error, "a failed attempt could not be counted");
                Disposition::NotAttempted
            }
            Ok(attempts) if attempts >= self.settings.attempts => {
                self.bury(delivery, event, code, why, attempts).await
            }
            Ok(attempts) => {
                metrics::counter!(metric::DELIVERY_RETRIES.name, "florin.function" => delivery.function)
                    .increment(1);
                Disposition::Retry { after: after.unwrap_or_else(|| ladder(attempts)) }
            }
        }
    }

    /// Stores a dead letter; only then may the transport let go of the message.
    async fn bury(
        &self,
        of: Delivery<'_>,
        event: &Event,
        code: &str,
        detail: &str,
        attempts: i64,
    ) -> Disposition {
        let id = self.ids.new_id::<DeadLetterKind>().to_string();
        let stored = async {
            let mut tx = self.db.begin(Wall::System).await?;
            let cause = Cause { code, detail, attempts };
            let buried = dead_letters::store(&mut tx, &id, of, event, &cause, self.clock.now()).await?;
            failpoint::hit(failpoint::DEAD_LETTER_BEFORE_COMMIT);
            tx.commit().await.map_err(CommitError::into_error)?;
            failpoint::hit(failpoint::DEAD_LETTER_BEFORE_ACK);
            Ok::<bool, crate::db::DbError>(buried)
        };
        match stored.await {
            Ok(false) => Disposition::Duplicate,
            Ok(true) => {
                metrics::counter!(metric::DEAD_LETTERS.name, "florin.function" => of.function).increment(1);
                tracing::error!(
                    florin.function = of.function,
                    event.id = of.event_id,
                    error.code = code,
                    "dead letter"
                );
                Disposition::Permanent { code: code.to_owned() }
            }
            Err(error) => {
                tracing::warn!(error.message = %error, "a dead letter could not be stored");
                Disposition::NotAttempted
            }
        }
    }
}

fn ladder(attempts: i64) -> Duration {
    let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    LADDER[step.min(LADDER.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_climbs_and_stays_at_its_last_step() {
        assert_eq!(ladder(1), Duration::from_secs(1));
        assert_eq!(ladder(7), Duration::from_secs(3_600));
        assert_eq!(ladder(1_000), Duration::from_secs(3_600));
    }
}
