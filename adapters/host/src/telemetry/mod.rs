//! Logs, metrics and traces of the process.

mod both;
mod exemplars;
pub mod gauges;
mod line;
#[cfg(feature = "otlp")]
mod otlp;
mod panic;
mod readable;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use florin_kernel::metric::{self, Instrument, METRICS};
use florin_kernel::time::Clock;
use florin_kernel::trace;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::Directive;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{Config, ConfigError};
use exemplars::{Exemplars, Exemplifying};
use line::{Format, Lines};
pub use readable::Readable;

/// What a process tells of itself, as long as it lives.
#[derive(Clone, Default)]
pub struct Telemetry {
    exemplars: Arc<Exemplars>,
    #[cfg(feature = "otlp")]
    export: Option<Arc<otlp::Export>>,
}

/// How long a process that ends waits for the collector.
const LAST_FLUSH: Duration = Duration::from_secs(3);

impl Telemetry {
    /// Begins to log to the standard error stream, as text on a terminal and else as JSON, and to export spans
    /// where a collector is configured. `freezes` is whether the process is frozen between invocations.
    pub fn begin(config: &Config, clock: Clock, freezes: bool) -> Result<Self, ConfigError> {
        let wanted =
            config.get("log").unwrap_or("info,sqlx=warn,lapin=error,hyper=warn,h2=warn,opentelemetry=warn");
        // Their identifiers stand in every line, whatever the log leaves out.
        let spans: Directive = format!("{}=info", trace::TARGET).parse().expect("a target and a level");
        let filter = EnvFilter::new(wanted).add_directive(spans);
        let format = match config.get("log_format") {
            Some("json") => Format::Json,
            Some("text") => Format::Text,
            _ if std::io::stderr().is_terminal() => Format::Text,
            _ => Format::Json,
        };
        let service = service_name(config);
        let lines = Lines { format, service: service.clone(), clock: clock.clone() };
        let exemplars = Arc::new(Exemplars::new(clock.clone()));
        let registry = tracing_subscriber::registry().with(lines.with_filter(filter));
        #[cfg(feature = "otlp")]
        let (begun, telemetry) = {
            let export = otlp::Export::begin(config, &service, freezes, &exemplars)?.map(Arc::new);
            let layer = export.as_ref().and_then(|export| export.layer(clock));
            (registry.with(layer).try_init(), Self { exemplars, export })
        };
        #[cfg(not(feature = "otlp"))]
        let (begun, telemetry) = {
            // Nothing is sent that a freeze could cut off.
            let _ = freezes;
            (registry.try_init(), Self { exemplars })
        };
        // A second subscriber in one process is a test's; the first one stays.
        if begun.is_ok() {
            panic::log();
        }
        #[cfg(not(feature = "otlp"))]
        if config.get("otlp_endpoint").is_some() || config.otel("EXPORTER_OTLP_ENDPOINT").is_some() {
            tracing::warn!("this build exports nothing to a collector: build it with --features otlp");
        }
        Ok(telemetry)
    }

    /// Begins to count, for whoever reads `/metrics` when `readable`, and for the collector; what the reader reads.
    /// None when another recorder counts already.
    pub fn count(&self, readable: bool) -> Option<Readable> {
        let read = readable.then(prometheus).flatten();
        let shown = read.as_ref().map(|read| Readable::new(read.handle(), Arc::clone(&self.exemplars)));
        let begun = match (read, self.meters()) {
            (None, None) => return None,
            (Some(read), None) => self.count_with(read),
            (None, Some(sent)) => self.count_with(sent),
            (Some(read), Some(sent)) => self.count_with(both::Both(read, sent)),
        };
        describe();
        shown.filter(|_| begun)
    }

    /// Whether everything is counted by this recorder from now on, with exemplars of what is measured.
    fn count_with(&self, recorder: impl metrics::Recorder + Sync + Send + 'static) -> bool {
        metrics::set_global_recorder(Exemplifying(recorder, Arc::clone(&self.exemplars))).is_ok()
    }

    #[cfg(feature = "otlp")]
    fn meters(&self) -> Option<impl metrics::Recorder + Sync + Send + 'static> {
        self.export.as_ref().and_then(|export| export.recorder())
    }

    #[cfg(not(feature = "otlp"))]
    fn meters(&self) -> Option<metrics::NoopRecorder> {
        None
    }

    /// Whether anything is sent to a collector.
    pub fn exports(&self) -> bool {
        #[cfg(feature = "otlp")]
        return self.export.is_some();
        #[cfg(not(feature = "otlp"))]
        false
    }

    /// Sends what the collector has not got yet; gives up after this long.
    pub async fn flush(&self, patience: Duration) {
        #[cfg(feature = "otlp")]
        if let Some(export) = self.export.clone() {
            let flushing = tokio::task::spawn_blocking(move || export.flush());
            if tokio::time::timeout(patience, flushing).await.is_err() {
                tracing::debug!("the collector took too long");
            }
        }
        #[cfg(not(feature = "otlp"))]
        let _ = patience;
    }

    /// The last flush of a process that ends.
    pub async fn end(&self) {
        self.flush(LAST_FLUSH).await;
    }
}

/// What logs and spans call this process: by the variable that all of OpenTelemetry reads, else by its one service.
fn service_name(config: &Config) -> String {
    if let Some(said) = config.otel("SERVICE_NAME") {
        return said.to_owned();
    }
    match crate::functions::chosen(config).as_deref() {
        Ok([one]) => format!("florin-{}", one.name),
        _ => "florin".to_owned(),
    }
}

fn prometheus() -> Option<PrometheusRecorder> {
    let builder = PrometheusBuilder::new().with_recommended_naming(true);
    let mut histograms = METRICS.iter().filter(|one| one.instrument == Instrument::Histogram);
    let built = histograms.try_fold(builder, |builder, one| {
        builder.set_buckets_for_metric(Matcher::Full(one.name.to_owned()), metric::SECONDS).ok()
    });
    built.map(|builder| builder.build_recorder())
}

/// Tells the recorder what each metric is, and in what it is measured.
fn describe() {
    for one in METRICS {
        let unit = if one.unit == "s" { metrics::Unit::Seconds } else { metrics::Unit::Count };
        match one.instrument {
            Instrument::Counter => metrics::describe_counter!(one.name, unit, one.summary),
            Instrument::Gauge => metrics::describe_gauge!(one.name, unit, one.summary),
            Instrument::Histogram => metrics::describe_histogram!(one.name, unit, one.summary),
        }
    }
}

/// How often what was measured is folded into its buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// Keeps what is counted small until `stop`: between two readers every measured value is in memory by itself.
pub async fn keep_up(metrics: Readable, stop: CancellationToken) {
    while tokio::time::timeout(UPKEEP, stop.cancelled()).await.is_err() {
        metrics.fold();
    }
}
