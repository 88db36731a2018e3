//! The Lambda function: one execution environment, put together once and frozen between events.

use std::sync::Arc;
use std::time::Duration;

use florin_http::router;
use florin_kernel::time::Clock;
use florin_queue::cloudevents::Limits;

use crate::config::Config;
use crate::deployment::{Deployment, HostError, Reached};
use crate::telemetry::Telemetry;

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
        flush: flush(telemetry, deployment.config.millis("otlp_flush_ms", OTLP_FLUSH_MS)?),
    };
    florin_lambda::run(app).await.map_err(|error| HostError(error.to_string()))
}

/// How long an answer waits for the collector.
const OTLP_FLUSH_MS: u64 = 1_000;

/// Sends spans and metrics before the process is frozen, where anybody collects them, and waits so long at most.
fn flush(telemetry: &Telemetry, bound: Duration) -> Option<florin_lambda::Flush> {
    if !telemetry.exports() {
        return None;
    }
    let telemetry = telemetry.clone();
    Some(Arc::new(move |patience| {
        let telemetry = telemetry.clone();
        Box::pin(async move { telemetry.flush(patience.min(bound)).await })
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
