//! The producer span of an event: a child of the span that emitted it, and what the consumer's span links to.

use std::time::Duration;

use florin_kernel::event::Event;
use florin_kernel::metric;
use florin_kernel::service::Service;
use florin_kernel::trace::{self, TraceParent};
use tracing::Span;
use tracing::field::Empty;

use crate::port::PublishError;

const PUBLISH: &str = "publish";

/// An event on its way to the broker.
pub(crate) struct Publishing(Span);

impl Publishing {
    /// Begins the span, and puts it into the event in place of the one that emitted it: the message's creation
    /// context is the span that publishes it (messaging spans, "Producer spans"). An event without a trace stays so.
    pub(crate) fn begin(service: &Service, event: &mut Event) -> Self {
        let emitted: Option<TraceParent> = event.extension("traceparent").and_then(|t| t.parse().ok());
        let Some(emitted) = emitted else { return Self(Span::none()) };
        let trace = TraceParent::span(Some(&emitted));
        event.extensions.insert("traceparent".to_owned(), trace.to_string());
        Self(tracing::info_span!(
            target: trace::TARGET,
            "publish",
            otel.name = format_args!("{PUBLISH} {}", event.kind),
            otel.kind = "producer",
            trace.context = trace.as_str(),
            trace.parent = emitted.span_id(),
            messaging.system = service.settings.messaging_system,
            messaging.operation.name = PUBLISH,
            messaging.operation.type = "send",
            messaging.destination.name = event.kind,
            messaging.message.id = event.id,
            cloudevents.event_id = event.id,
            cloudevents.event_source = event.source,
            cloudevents.event_type = event.kind,
            error.type = Empty,
            trace.ended = Empty,
        ))
    }

    /// The span that a batch is measured in: it has none of its own, so that of its first event which is traced.
    pub(crate) fn span_of(batch: &[Self]) -> Span {
        batch.iter().find(|one| !one.0.is_none()).map_or_else(Span::none, |one| one.0.clone())
    }

    /// Ends it as the broker answered.
    pub(crate) fn end(self, result: &Result<(), PublishError>) {
        match result {
            Ok(()) => {}
            Err(PublishError::NotConfirmed(_)) => drop(self.0.record("error.type", NOT_CONFIRMED)),
            Err(PublishError::Refused(_)) => drop(self.0.record("error.type", REFUSED)),
        }
        trace::end(&self.0);
    }
}

const NOT_CONFIRMED: &str = "not_confirmed";
const REFUSED: &str = "refused";

/// Counts a batch: what was confirmed, not confirmed and refused.
pub(crate) fn measure(service: &Service, took: Duration, batch: [usize; 3]) {
    let system = service.settings.messaging_system;
    for (count, error) in batch.into_iter().zip(["", NOT_CONFIRMED, REFUSED]) {
        if count > 0 {
            metrics::counter!(
                metric::SENT_MESSAGES.name,
                "messaging.system" => system,
                "messaging.operation.name" => PUBLISH,
                "florin.service" => service.name(),
                "error.type" => error,
            )
            .increment(u64::try_from(count).unwrap_or(0));
        }
    }
    let failed = batch[1] + batch[2] > 0;
    metrics::histogram!(
        metric::PUBLISH_DURATION.name,
        "messaging.system" => system,
        "messaging.operation.name" => PUBLISH,
        "error.type" => if failed { "some_failed" } else { "" },
    )
    .record(took.as_secs_f64());
}
