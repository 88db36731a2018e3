//! A function is frozen after its answer: what it traced has reached the collector by then.

mod backlog;

use florin_conformance::collector::Span;
use florin_conformance::lambda::{Front, Lambda};
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, Site};
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::suite::Engine;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use crate::collected;

#[tokio::test(flavor = "multi_thread")]
async fn the_spans_of_an_invocation_are_sent_before_its_answer() {
    let sink = Sink::keeping().await;
    let Some(mut site) = Site::new(Engine::Sqlite, &Broker::Http(sink.base().to_owned())).await else {
        return;
    };
    let collector = collected(&mut site).await;
    site.set("FLORIN_PUBLIC_URL", "https://pay.example");
    // Nothing but the flush sends anything while this test runs.
    site.set("OTEL_BSP_SCHEDULE_DELAY", "600000");
    site.set("OTEL_METRIC_EXPORT_INTERVAL", "600000");
    // On a machine that is building at the same time a second may be too short.
    site.set("FLORIN_OTLP_FLUSH_MS", "20000");
    let token = site.token("acme");
    let lambda = Lambda::start(&site, "lambda").await;
    let request = HttpRequest::new("GET", "/v1/payments").header("authorization", &format!("Bearer {token}"));
    for invocation in 1..=2 {
        lambda.request(Front::HttpApi, &request).await.expect(200);
        let served = collector.spans().into_iter().filter(|span| span.kind == SpanKind::Server).count();
        assert_eq!(served, invocation);
        // What was measured since the last invocation, each with its own span.
        let measured: Vec<String> = collector
            .exemplars()
            .into_iter()
            .filter(|one| one.metric == "http.server.request.duration")
            .map(|one| one.span_id)
            .collect();
        let spans: Vec<String> = collector
            .spans()
            .into_iter()
            .filter(|span| span.kind == SpanKind::Server)
            .map(|span| span.span_id)
            .collect();
        assert_eq!(measured, spans);
    }
    assert!(collector.metrics().contains("http.server.request.duration"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_refuses_before_the_route_names_the_trace_of_its_span() {
    let sink = Sink::keeping().await;
    let Some(mut site) = Site::new(Engine::Sqlite, &Broker::Http(sink.base().to_owned())).await else {
        return;
    };
    let collector = collected(&mut site).await;
    site.set("FLORIN_PUBLIC_URL", "https://pay.example");
    site.set("FLORIN_OTLP_FLUSH_MS", "20000");
    let lambda = Lambda::start(&site, "lambda").await;
    let nobody = HttpRequest::new("GET", "/v1/payments");
    let unreadable = HttpRequest::new("G T", "/v1/payments");
    for (request, status) in [(nobody, 401), (unreadable, 400)] {
        let refused = lambda.request(Front::HttpApi, &request).await.expect(status);
        let trace = refused.body["trace_id"].as_str().expect("a trace");
        let spans = collector.spans();
        // The stand-in gives every invocation the same trace.
        let said = status.to_string();
        let is_its =
            |span: &&Span| span.trace_id == trace && span.attribute("http.response.status_code") == said;
        let span = spans.iter().find(is_its).expect("its span was sent before");
        assert_eq!(span.kind, SpanKind::Server);
    }
}
