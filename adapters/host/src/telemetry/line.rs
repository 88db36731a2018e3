//! The log: one line for an event, as JSON in Elastic Common Schema names or as text for a person.
//!
//! No crate that writes these names is kept well enough to carry a log, and a layer is small: the identifiers of the
//! trace come from the innermost exported span, everything else from the event.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use florin_kernel::time::Clock;
use florin_kernel::trace::{self, TraceParent};
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// The version of the Elastic Common Schema whose names these are.
const ECS: &str = "9.2.0";

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// JSON, one object in a line (ECS logging).
    Json,
    /// For a person at a terminal.
    Text,
}

/// Writes every event to the standard error stream.
pub(super) struct Lines {
    pub(super) format: Format,
    pub(super) service: String,
    pub(super) clock: Clock,
}

/// What a span says of the lines inside it.
#[derive(Clone, Default)]
struct Names {
    trace: Option<TraceParent>,
    function: Option<String>,
    route: Option<String>,
    invocation: Option<String>,
}

impl Names {
    /// Adds what a span further out says.
    fn within(&mut self, outer: &Self) {
        self.trace = self.trace.or(outer.trace);
        for (own, of_outer) in [
            (&mut self.function, &outer.function),
            (&mut self.route, &outer.route),
            (&mut self.invocation, &outer.invocation),
        ] {
            if own.is_none() {
                own.clone_from(of_outer);
            }
        }
    }
}

/// The trace that a line written here would name: what is measured here is measured in it.
pub(super) fn current_trace() -> Option<TraceParent> {
    tracing::dispatcher::get_default(|dispatch| {
        let current = dispatch.current_span();
        let innermost = dispatch.downcast_ref::<Registry>()?.span(current.id()?)?;
        innermost.scope().find_map(|span| span.extensions().get::<Names>()?.trace)
    })
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        if metadata.target() != trace::TARGET && metadata.name() != "invocation" {
            return;
        }
        let mut names = Names::default();
        attributes.record(&mut names);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(names);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(names) = span.extensions_mut().get_mut::<Names>()
        {
            values.record(names);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        let mut names = Names::default();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(outer) = span.extensions().get::<Names>() {
                names.within(outer);
            }
        }
        said.add("florin.function", names.function);
        said.add("http.route", names.route);
        said.add("faas.execution", names.invocation);
        let line = match self.format {
            Format::Json => self.json(event, said, names.trace),
            Format::Text => self.text(event, &said, names.trace),
        };
        // Nobody can be told that the log is gone.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

impl Lines {
    fn json(&self, event: &Event<'_>, said: Said, traced: Option<TraceParent>) -> String {
        let mut line = said.fields;
        line.insert("@timestamp".to_owned(), json!(self.clock.now().to_string()));
        line.insert("log.level".to_owned(), json!(event.metadata().level().as_str().to_ascii_lowercase()));
        line.insert("log.logger".to_owned(), json!(event.metadata().target()));
        line.insert("message".to_owned(), json!(said.message));
        line.insert("ecs.version".to_owned(), json!(ECS));
        line.entry("service.name").or_insert_with(|| json!(self.service));
        line.insert("service.version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        if let Some(traced) = traced {
            line.insert("trace.id".to_owned(), json!(traced.trace_id()));
            line.insert("span.id".to_owned(), json!(traced.span_id()));
        }
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        text
    }

    fn text(&self, event: &Event<'_>, said: &Said, traced: Option<TraceParent>) -> String {
        let metadata = event.metadata();
        let mut text = format!("{} {:>5} {}", self.clock.now(), metadata.level().as_str(), said.message);
        for (name, value) in &said.fields {
            // A string of its own has control characters escaped: nobody forges a line.
            let _ = write!(text, " {name}={value}");
        }
        if let Some(traced) = traced {
            let _ = write!(text, " trace.id={}", traced.trace_id());
        }
        text.push('\n');
        text
    }
}

impl Visit for Names {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "trace.context" => self.trace = value.parse().ok(),
            "florin.function" => self.function = Some(value.to_owned()),
            "http.route" => self.route = Some(value.to_owned()),
            "faas.invocation_id" => self.invocation = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    fields: Map<String, Value>,
}

impl Said {
    /// Adds what the span says, where the event does not.
    fn add(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.fields.entry(name).or_insert(Value::String(value));
        }
    }

    /// Names with a dot are the schema's or our own, which follow it; any other might be an object of the schema,
    /// and its place is among the labels (ECS, "Custom fields").
    fn put(&mut self, field: &Field, value: Value) {
        let name = field.name();
        let name = name.strip_prefix("r#").unwrap_or(name);
        if name == "message" {
            self.message = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        } else if name.contains('.') {
            self.fields.insert(name.to_owned(), value);
        } else {
            self.fields.insert(format!("labels.{name}"), value);
        }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, json!(format!("{value:?}")));
    }
}
