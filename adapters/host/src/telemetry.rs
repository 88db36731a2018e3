//! Logs and metrics of the process.

use std::io::IsTerminal;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, ConfigError};

/// Begins to log to the standard error stream: text on a terminal, else JSON.
pub fn log(config: &Config) -> Result<(), ConfigError> {
    let filter = EnvFilter::new(config.get("log").unwrap_or("info,sqlx=warn,lapin=error,hyper=warn,h2=warn"));
    let json = match config.get("log_format") {
        Some("json") => true,
        Some("text") => false,
        _ => !std::io::stderr().is_terminal(),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second subscriber in one process is a test's; the first one stays.
    let begun = if json { builder.json().flatten_event(true).try_init() } else { builder.try_init() };
    drop(begun);
    Ok(())
}

/// The buckets of OpenTelemetry's `http.server.request.duration`, in seconds.
const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Begins to count; none when another recorder counts already.
pub fn metrics() -> Option<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
        .ok()?
        .install_recorder()
        .ok()
}

/// How often what was measured is folded into its buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// Keeps what is counted small until `stop`: between two readers every measured value is in memory by itself.
pub async fn keep_up(handle: PrometheusHandle, stop: CancellationToken) {
    while tokio::time::timeout(UPKEEP, stop.cancelled()).await.is_err() {
        handle.run_upkeep();
    }
}
