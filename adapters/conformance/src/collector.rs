//! A stand-in for an OpenTelemetry collector: it takes OTLP over HTTP in protobuf and keeps what it was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1 as proto;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::wait::until;

/// A span as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// `service.name` of whoever sent it.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: SpanKind,
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// 16 hexadecimal digits, or nothing.
    pub parent_id: String,
    /// What it links to: trace and span.
    pub links: Vec<(String, String)>,
    /// Its attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// Whether its status is an error.
    pub failed: bool,
}

impl Span {
    /// An attribute's text, or nothing.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// An exemplar of a histogram's data point as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// `service.name` of whoever sent it.
    pub service: String,
    /// The name of the metric.
    pub metric: String,
    /// The attributes of the data point as text.
    pub attributes: BTreeMap<String, String>,
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// What was measured.
    pub value: f64,
}

#[derive(Default)]
struct Kept {
    spans: Vec<Span>,
    metrics: BTreeSet<String>,
    exemplars: Vec<Exemplar>,
}

/// A running collector on a free port; dropping it ends it.
pub struct Collector {
    base: String,
    kept: Arc<Mutex<Kept>>,
    serving: AbortHandle,
}

impl Collector {
    /// Starts one.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let kept = Arc::<Mutex<Kept>>::default();
        let router = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .with_state(Arc::clone(&kept));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Self { base, kept, serving }
    }

    /// What processes are told: where it is, and to send soon.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.base.clone()),
            ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200".to_owned()),
        ]
    }

    /// Its address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Every span so far.
    pub fn spans(&self) -> Vec<Span> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).spans.clone()
    }

    /// The names of every metric so far.
    pub fn metrics(&self) -> BTreeSet<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).metrics.clone()
    }

    /// Every exemplar so far, each as often as it was sent.
    pub fn exemplars(&self) -> Vec<Exemplar> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).exemplars.clone()
    }

    /// Waits for a span.
    ///
    /// # Panics
    /// When none comes.
    pub async fn span(&self, what: &str, is: impl Fn(&Span) -> bool) -> Span {
        until(what, || std::future::ready(self.spans().into_iter().find(|span| is(span)))).await
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Protobuf, as the exporters are configured; anything else is refused as a collector would.
fn is_protobuf(headers: &HeaderMap) -> bool {
    headers.get("content-type").is_some_and(|said| said == "application/x-protobuf")
}

async fn traces(State(kept): State<Arc<Mutex<Kept>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    if !is_protobuf(&headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let of = resource.resource.map(|resource| texts(&resource.attributes)).unwrap_or_default();
        let service = of.get("service.name").cloned().unwrap_or_default();
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.push(Span {
                service: service.clone(),
                kind: span.kind(),
                trace_id: hex(&span.trace_id),
                span_id: hex(&span.span_id),
                parent_id: hex(&span.parent_span_id),
                links: span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect(),
                attributes: texts(&span.attributes),
                failed: span.status.as_ref().is_some_and(|status| status.code == 2),
                name: span.name,
            });
        }
    }
    kept.lock().unwrap_or_else(PoisonError::into_inner).spans.extend(spans);
    StatusCode::OK
}

async fn metrics(State(kept): State<Arc<Mutex<Kept>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Ok(request) = ExportMetricsServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    if !is_protobuf(&headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    let (mut names, mut exemplars) = (BTreeSet::new(), Vec::new());
    for resource in request.resource_metrics {
        let of = resource.resource.map(|resource| texts(&resource.attributes)).unwrap_or_default();
        let service = of.get("service.name").cloned().unwrap_or_default();
        for metric in resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
            if let Some(proto::metric::Data::Histogram(histogram)) = &metric.data {
                let of_point = |point| exemplars_of(&service, &metric.name, point);
                exemplars.extend(histogram.data_points.iter().flat_map(of_point));
            }
            names.insert(metric.name);
        }
    }
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.metrics.extend(names);
    kept.exemplars.extend(exemplars);
    StatusCode::OK
}

/// # Panics
/// When one was not measured in the time of its point, or its bucket has counted nothing: no backend could place it.
fn exemplars_of(service: &str, metric: &str, point: &proto::HistogramDataPoint) -> Vec<Exemplar> {
    let read = |one: &proto::Exemplar| {
        let Some(proto::exemplar::Value::AsDouble(value)) = one.value else {
            panic!("{metric}: an exemplar without a value")
        };
        let time = point.start_time_unix_nano / 1_000 * 1_000..=point.time_unix_nano;
        assert!(time.contains(&one.time_unix_nano), "{metric}: {one:?} in {time:?}");
        let bucket = point.explicit_bounds.partition_point(|bound| *bound < value);
        assert!(point.bucket_counts[bucket] > 0, "{metric}: {one:?} in {:?}", point.bucket_counts);
        Exemplar {
            service: service.to_owned(),
            metric: metric.to_owned(),
            attributes: texts(&point.attributes),
            trace_id: hex(&one.trace_id),
            span_id: hex(&one.span_id),
            value,
        }
    };
    point.exemplars.iter().map(read).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    attributes.iter().map(|one| (one.key.clone(), text(one.value.as_ref()))).collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(yes)) => yes.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        _ => String::new(),
    }
}
