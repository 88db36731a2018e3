//! A function is frozen after its answer: what it traced has reached the collector by then.

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
    }
    assert!(collector.metrics().contains("http.server.request.duration"));
}
