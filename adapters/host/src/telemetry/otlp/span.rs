//! From a span of ours to one of OpenTelemetry.
//!
//! tracing-opentelemetry would make identifiers of its own, known only where somebody exports; ours stand in rows,
//! events and records already, so a span is built from them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use florin_kernel::time::{Clock, Timestamp};
use florin_kernel::trace::{self, TraceParent};
use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks, SpanProcessor};
use tokio::time::Instant;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Hands every sampled span with the kernel's target to a processor when it closes.
pub(super) struct Spans<P> {
    processor: Arc<P>,
    scope: InstrumentationScope,
    clock: Clock,
}

impl<P: SpanProcessor> Spans<P> {
    pub(super) fn new(processor: Arc<P>, clock: Clock) -> Self {
        let scope = InstrumentationScope::builder("florin").with_version(env!("CARGO_PKG_VERSION")).build();
        Self { processor, scope, clock }
    }
}

/// A span that is not over.
struct Open {
    began: Timestamp,
    measured: Instant,
    fields: Fields,
}

impl<S, P> tracing_subscriber::Layer<S> for Spans<P>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    P: SpanProcessor + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if !fields.context.as_ref().is_some_and(TraceParent::is_sampled) {
            return;
        }
        if let Some(span) = context.span(id) {
            let open = Open { began: self.clock.now(), measured: Instant::now(), fields };
            span.extensions_mut().insert(open);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        let Some(open) = extensions.get_mut::<Open>() else { return };
        values.record(&mut open.fields);
        if open.fields.ended {
            let open = extensions.remove::<Open>();
            drop(extensions);
            self.end(open);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let open = context.span(&id).and_then(|span| span.extensions_mut().remove::<Open>());
        self.end(open);
    }
}

impl<P: SpanProcessor> Spans<P> {
    fn end(&self, open: Option<Open>) {
        if let Some(data) = open.and_then(|open| self.data(open)) {
            self.processor.on_end(data);
        }
    }

    fn data(&self, open: Open) -> Option<SpanData> {
        let Open { began, measured, fields } = open;
        let start_time = system_time(began);
        let mut links = SpanLinks::default();
        links.links.extend(fields.link.as_ref().map(|link| Link::with_context(context_of(link, true))));
        let span_context = context_of(&fields.context?, false);
        Some(SpanData {
            span_context,
            parent_span_id: fields.parent.unwrap_or(SpanId::INVALID),
            parent_span_is_remote: matches!(fields.kind, SpanKind::Server | SpanKind::Consumer),
            span_kind: fields.kind,
            name: Cow::Owned(fields.name),
            start_time,
            end_time: start_time + measured.elapsed(),
            attributes: fields.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links,
            status: if fields.failed { Status::error("") } else { Status::Unset },
            instrumentation_scope: self.scope.clone(),
        })
    }
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0))
}

fn context_of(trace: &TraceParent, is_remote: bool) -> SpanContext {
    let flags = if trace.is_sampled() { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
    SpanContext::new(
        TraceId::from_hex(trace.trace_id()).unwrap_or(TraceId::INVALID),
        SpanId::from_hex(trace.span_id()).unwrap_or(SpanId::INVALID),
        flags,
        is_remote,
        TraceState::default(),
    )
}

/// A span's fields: those that say what it is, and its attributes.
struct Fields {
    name: String,
    kind: SpanKind,
    context: Option<TraceParent>,
    parent: Option<SpanId>,
    link: Option<TraceParent>,
    failed: bool,
    ended: bool,
    attributes: Vec<KeyValue>,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: SpanKind::Internal,
            context: None,
            parent: None,
            link: None,
            failed: false,
            ended: false,
            attributes: Vec::new(),
        }
    }
}

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<opentelemetry::Value>) {
        self.failed |= field.name() == "error.type";
        self.attributes.push(KeyValue::new(field.name(), value));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "otel.name" => value.clone_into(&mut self.name),
            "otel.kind" => self.kind = kind_of(value),
            "trace.context" => self.context = value.parse().ok(),
            "trace.parent" => self.parent = SpanId::from_hex(value).ok(),
            "trace.link" => self.link = value.parse().ok(),
            _ => self.put(field, value.to_owned()),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name() {
            "trace.ended" => self.ended = value,
            _ => self.put(field, value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // `format_args!` comes here, and writes itself without quotes.
        self.record_str(field, &format!("{value:?}"));
    }
}

fn kind_of(name: &str) -> SpanKind {
    match name {
        "server" => SpanKind::Server,
        "client" => SpanKind::Client,
        "producer" => SpanKind::Producer,
        "consumer" => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

/// Whether a span is one that is exported.
pub(super) fn is_exported(metadata: &tracing::Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == trace::TARGET
}
