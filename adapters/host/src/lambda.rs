//! The Lambda function: one execution environment, put together once and frozen between events.

use std::sync::Arc;
use std::time::Duration;

use florin_http::router;
use florin_kernel::time::Clock;
use florin_lambda::Kind;
use florin_queue::cloudevents::Limits;
use tokio::time::{Instant, timeout};

use crate::config::Config;
use crate::deployment::{Deployment, HostError, Reached};
use crate::telemetry::Telemetry;
use crate::telemetry::gauges::Gauges;

/// Serves events of the Runtime API.
pub async fn run(config: Config, clock: Clock, telemetry: &Telemetry) -> Result<(), HostError> {
    telemetry.count(false);
    let deployment = Deployment::assemble(config, clock, Reached { listen: None, freezes: true }).await?;
    let options = florin_lambda::request::Options {
        base_path: deployment.config.get("base_path").unwrap_or_default().parse()?,
        ..florin_lambda::request::Options::default()
    };
    let documentation = crate::command::catalog::documentation(&deployment.app);
    let app = florin_lambda::App {
        router: router::router(&deployment.app).merge(documentation),
        http: options,
        services: deployment.app.services().to_vec(),
        publisher: Arc::clone(&deployment.broker.publisher),
        postpone: postpone(&deployment),
        limits: Limits::default(),
        clock: deployment.clock.clone(),
        flush: flush(telemetry, &deployment, deployment.config.millis("otlp_flush_ms", OTLP_FLUSH_MS)?),
    };
    florin_lambda::run(app).await.map_err(|error| HostError(error.to_string()))
}

/// How long an answer waits for the collector.
const OTLP_FLUSH_MS: u64 = 1_000;

/// Sends spans and metrics before the process is frozen, where anybody collects them, and waits so long at most.
///
/// Nothing looks at the backlog on a timer here. A schedule's ticks come about as often, and no caller waits for them.
fn flush(telemetry: &Telemetry, deployment: &Deployment, bound: Duration) -> Option<florin_lambda::Flush> {
    if !telemetry.exports() {
        return None;
    }
    let telemetry = telemetry.clone();
    let gauges = Gauges::new(deployment.app.services().to_vec(), deployment.broker.subscriber.clone());
    Some(Arc::new(move |kind, patience| {
        let (telemetry, gauges) = (telemetry.clone(), Arc::clone(&gauges));
        Box::pin(async move {
            let ends = Instant::now() + patience;
            if kind == Kind::Schedule {
                // What a database that is away leaves of the time is enough to say what was counted.
                let _ = timeout(patience / 2, gauges.look_again()).await;
            }
            telemetry.flush(ends.saturating_duration_since(Instant::now()).min(bound)).await;
        })
    }))
}

#[cfg(feature = "sqs")]
fn postpone(deployment: &Deployment) -> Option<florin_lambda::Postpone> {
    let sqs = Arc::clone(deployment.broker.sqs.as_ref()?);
    Some(Arc::new(move |message: florin_lambda::Postponed| {
        let sqs = Arc::clone(&sqs);
        Box::pin(async move {
            if let Err(error) =
                sqs.change_visibility(&message.queue_arn, &message.receipt_handle, message.after).await
            {
                tracing::warn!(error.message = %error, "the message comes again after the queue's own time-out");
            }
        })
    }))
}

#[cfg(not(feature = "sqs"))]
fn postpone(_: &Deployment) -> Option<florin_lambda::Postpone> {
    None
}
