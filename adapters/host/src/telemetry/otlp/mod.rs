//! OTLP: spans and metrics to an OpenTelemetry collector, over HTTP in protobuf.
//!
//! The OpenTelemetry SDK batches, bounds its queue and drops what does not fit (`OTEL_BSP_*`); the exporters read
//! their other settings (headers, time-outs, intervals) from the standard `OTEL_` variables themselves.

mod collector;
mod exemplars;
mod meter;
mod settings;
mod span;

use std::sync::Arc;
use std::time::Duration;

use florin_kernel::time::Clock;
use florin_kernel::trace::{self, TraceParent};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_otlp::{MetricExporter, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SpanProcessor};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::exemplars::Exemplars;
use crate::config::{Config, ConfigError};
use collector::Collector;
use exemplars::Exemplary;
use settings::Settings;

/// How long one export may take.
const EXPORT: Duration = Duration::from_secs(5);

/// What exports.
pub(super) struct Export {
    spans: Option<Arc<BatchSpanProcessor>>,
    meters: Option<SdkMeterProvider>,
}

impl Export {
    /// What the configuration wants exported; nothing unless it names a collector.
    pub(super) fn begin(
        config: &Config,
        service: &str,
        freezes: bool,
        exemplars: &Arc<Exemplars>,
    ) -> Result<Option<Self>, ConfigError> {
        let Some(settings) = Settings::of(config)? else { return Ok(None) };
        trace::sample_roots(settings.share);
        let instance = TraceParent::span(None);
        let resource = Resource::builder()
            .with_service_name(service.to_owned())
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.namespace", "florin"),
                KeyValue::new("service.instance.id", instance.trace_id().to_owned()),
            ])
            .build();
        let said = |what: &str, error: &dyn std::fmt::Display| ConfigError::said(format!("{what}: {error}"));
        let collector = Collector::new(EXPORT).map_err(|error| said("no HTTP client", &error))?;
        let spans = settings.traces.as_ref().map(|endpoint| {
            let exporter = SpanExporter::builder()
                .with_http()
                .with_http_client(collector.clone())
                .with_retry_policy(RetryPolicy::disabled())
                .with_endpoint(endpoint.clone())
                .build()?;
            let mut processor = BatchSpanProcessor::new(exporter, BatchConfigBuilder::default().build());
            processor.set_resource(&resource);
            Ok(Arc::new(processor))
        });
        let meters = settings.metrics.as_ref().map(|endpoint| {
            let exporter = MetricExporter::builder()
                .with_http()
                .with_http_client(Exemplary::new(collector.clone(), Arc::clone(exemplars)))
                .with_retry_policy(RetryPolicy::disabled())
                .with_endpoint(endpoint.clone());
            // A frozen process comes back as another series, or never: what it counted stands for itself.
            let exporter = if freezes { exporter.with_temporality(Temporality::Delta) } else { exporter };
            let reader = PeriodicReader::builder(exporter.build()?).build();
            Ok(SdkMeterProvider::builder().with_reader(reader).with_resource(resource.clone()).build())
        });
        let broken =
            |error: opentelemetry_otlp::ExporterBuildError| said("OTEL_EXPORTER_OTLP_ENDPOINT", &error);
        Ok(Some(Self {
            spans: spans.transpose().map_err(broken)?,
            meters: meters.transpose().map_err(broken)?,
        }))
    }

    /// The layer that hands spans over.
    pub(super) fn layer<S>(&self, clock: Clock) -> Option<impl Layer<S> + Send + Sync + use<S>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let spans = Arc::clone(self.spans.as_ref()?);
        Some(span::Spans::new(spans, clock).with_filter(filter_fn(span::is_exported)))
    }

    /// The recorder that counts for the collector.
    pub(super) fn recorder(&self) -> Option<impl metrics::Recorder + Send + Sync + use<>> {
        Some(meter::Meters::new(&self.meters.as_ref()?.meter("florin")))
    }

    /// Sends what waits; blocks.
    pub(super) fn flush(&self) {
        // What fails here was said by the collector's client, once.
        if let Some(spans) = &self.spans {
            let _ = spans.force_flush();
        }
        if let Some(meters) = &self.meters {
            let _ = meters.force_flush();
        }
    }
}
