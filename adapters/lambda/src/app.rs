//! One execution environment: what it serves, and what it makes of an event.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use florin_kernel::corridor::{Disposition, KernelJob};
use florin_kernel::event::TraceParent;
use florin_kernel::service::Service;
use florin_kernel::time::{Clock, Timestamp};
use florin_queue::cloudevents::Limits;
use florin_queue::port::Publisher;
use florin_queue::relay::relay_all;
use futures_util::future::BoxFuture;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use tokio::time::{Instant, timeout_at};

use crate::batch::{self, NotABatch};
use crate::budget::{Budget, FLUSH};
use crate::deliveries::Postpone;
use crate::kind::Kind;
use crate::request::Options;
use crate::schedule::{self, NotATick};

/// What the host puts together once, before the first event.
pub struct App {
    /// The HTTP front's routes.
    pub router: Router,
    /// What a deployment says about its HTTP fronts.
    pub http: Options,
    /// The services of this process. Their settings say `freezes`.
    pub services: Vec<Arc<Service>>,
    /// Where committed events go.
    pub publisher: Arc<dyn Publisher>,
    /// Sets a message's visibility; without it a retry waits for the queue's own visibility time-out.
    pub postpone: Option<Postpone>,
    /// How much memory a message may take.
    pub limits: Limits,
    /// The time.
    pub clock: Clock,
    /// Sends what is measured and traced, before the process is frozen.
    pub flush: Option<Flush>,
}

/// Sends what waits to be sent after an event of this kind; ends within the given time, which is what the deadline
/// leaves, or earlier.
pub type Flush = Arc<dyn Fn(Kind, Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// What the platform says of one invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Lambda's own identifier of it.
    pub request_id: String,
    /// When the process is killed.
    pub deadline: Timestamp,
    /// The trace it belongs to.
    pub trace: Option<TraceParent>,
}

/// Why an invocation failed as a whole. A request's failures are answers and a message's are in the batch's
/// answer; what is left comes again by the platform's own rules.
#[derive(Debug, thiserror::Error)]
pub enum InvocationError {
    /// Nobody here knows what this is.
    #[error("the event is neither an HTTP request nor an SQS batch nor a schedule's tick")]
    Unknown,
    /// SNS without a queue.
    #[error("SNS invokes the function directly; subscribe the function's queue to the topic instead")]
    Sns,
    /// A batch whose messages cannot be named.
    #[error(transparent)]
    Batch(#[from] NotABatch),
    /// A tick that names no job.
    #[error(transparent)]
    Tick(#[from] NotATick),
    /// A tick for a job of another process.
    #[error("the job {0} is not served here")]
    NoSuchJob(String),
    /// A tick that did not run; the next one does what is due then.
    #[error("the job {0} was not run")]
    NotRun(String),
}

impl InvocationError {
    /// The stable name that Lambda's logs and metrics show.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "florin.unknown_event",
            Self::Sns => "florin.sns_without_a_queue",
            Self::Batch(_) => "florin.malformed_batch",
            Self::Tick(_) => "florin.malformed_tick",
            Self::NoSuchJob(_) => "florin.no_such_job",
            Self::NotRun(_) => "florin.job_not_run",
        }
    }
}

impl App {
    /// Makes of one event what its kind wants, and leaves nothing running or unpublished behind that the time
    /// allows to end: the process is frozen after the answer.
    pub async fn handle(
        &self,
        event: &RawValue,
        invocation: &Invocation,
    ) -> Result<Box<RawValue>, InvocationError> {
        let budget = Budget::of(invocation.deadline.since(self.clock.now()));
        let kind = Kind::of(event);
        let handled = self.handle_within(kind, event, invocation, budget).await;
        if let Some(flush) = &self.flush {
            let left = budget.answer_is_due.saturating_duration_since(Instant::now());
            flush(kind, left).await;
        }
        handled
    }

    async fn handle_within(
        &self,
        kind: Kind,
        event: &RawValue,
        invocation: &Invocation,
        budget: Budget,
    ) -> Result<Box<RawValue>, InvocationError> {
        match kind {
            Kind::Http(front) => {
                let answer = self.http(front, event, invocation, budget).await;
                // A caller waits: what is not done within the flush's time is left to the sweep.
                self.settle(Instant::now() + FLUSH, budget).await;
                Ok(answer)
            }
            Kind::Sqs => {
                let records = batch::records(event)?;
                let (answer, resting) =
                    batch::run(records, budget.work_ends, |record| self.deliver(record, budget)).await;
                // Beside each other: a queue that does not answer keeps no event back.
                tokio::join!(self.let_rest(resting, budget), self.settle(budget.work_ends, budget));
                Ok(to_raw_value(&answer).expect("strings serialize"))
            }
            Kind::Schedule => {
                let ran = self.tick(schedule::job(event)?, budget).await;
                self.settle(budget.work_ends, budget).await;
                ran
            }
            Kind::Sns => Err(InvocationError::Sns),
            Kind::Unknown => Err(InvocationError::Unknown),
        }
    }

    async fn tick(&self, job: String, budget: Budget) -> Result<Box<RawValue>, InvocationError> {
        let (service, verb) = job.split_once('.').unwrap_or_default();
        let Some(service) = self.services.iter().find(|known| known.name() == service) else {
            return Err(InvocationError::NoSuchJob(job));
        };
        let ticked = async {
            // Beside the effects, so that a peer that hangs keeps no event back.
            let publishing = async {
                if verb == KernelJob::Sweep.verb()
                    && let Err(error) = relay_all(service, self.publisher.as_ref()).await
                {
                    tracing::warn!(
                        service.name = service.name(),
                        error.message = %error,
                        "the next sweep publishes"
                    );
                }
            };
            let (disposition, ()) = tokio::join!(service.tick(&job), publishing);
            disposition
        };
        let said = match timeout_at(budget.work_ends, ticked).await {
            Ok(Disposition::Done) => "done",
            Ok(Disposition::Duplicate) => "duplicate",
            Ok(Disposition::Retry { .. } | Disposition::Permanent { .. } | Disposition::NotAttempted)
            | Err(_) => {
                return Err(InvocationError::NotRun(job));
            }
        };
        Ok(to_raw_value(&json!({ "job": job, "disposition": said })).expect("strings serialize"))
    }
}
