//! A collector that is away costs a line of the log and nothing else; one that is there gets everything at the end.

use std::time::{Duration, Instant};

use florin_conformance::lambda::{Front, Lambda};
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, Site};
use florin_conformance::wait::until;
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::suite::Engine;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tokio::net::TcpListener;

use crate::collected;

const AWAY: &str = "the collector is away";

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_is_said_once_and_nobody_waits_for_it() {
    let Some(mut site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    // Nobody listens on the discard port.
    site.set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    site.set("OTEL_BSP_SCHEDULE_DELAY", "20");
    site.set("OTEL_METRIC_EXPORT_INTERVAL", "20");
    let mut florin = site.serve().await;
    let client = site.client(&florin, "acme");
    let log = site.directory().join("florin.log");
    until("it is said", || async {
        client.get("/v1/payments").await.expect(200);
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains(AWAY)).then_some(())
    })
    .await;
    for _ in 0..50 {
        client.get("/v1/payments").await.expect(200);
    }
    florin.stop().await;
    let log = florin.process().log();
    let said: Vec<&str> = log.lines().filter(|line| line.contains(AWAY)).collect();
    assert_eq!(said.len(), 1, "{said:#?}");
    let louder: Vec<&str> = log.lines().filter(|line| line.contains("opentelemetry")).collect();
    assert!(louder.is_empty(), "{louder:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_told_to_stop_sends_what_it_has() {
    let Some(mut site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    let collector = collected(&mut site).await;
    site.set("OTEL_BSP_SCHEDULE_DELAY", "600000");
    site.set("OTEL_METRIC_EXPORT_INTERVAL", "600000");
    let mut florin = site.serve().await;
    site.client(&florin, "acme").get("/v1/payments").await.expect(200);
    assert!(collector.spans().iter().all(|span| span.name != "GET /v1/payments"));
    florin.stop().await;
    assert!(collector.spans().iter().any(|span| span.name == "GET /v1/payments"));
    assert!(collector.metrics().contains("florin.outbox.depth"), "{:?}", collector.metrics());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_answers_although_its_collector_never_does() {
    let sink = Sink::keeping().await;
    let Some(mut site) = Site::new(Engine::Sqlite, &Broker::Http(sink.base().to_owned())).await else {
        return;
    };
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let at = silent.local_addr().expect("an address");
    site.set("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{at}"));
    site.set("FLORIN_OTLP_FLUSH_MS", "100");
    site.set("FLORIN_PUBLIC_URL", "https://pay.example");
    let token = site.token("acme");
    let lambda = Lambda::start(&site, "lambda").await;
    let request = HttpRequest::new("GET", "/v1/payments").header("authorization", &format!("Bearer {token}"));
    lambda.request(Front::HttpApi, &request).await.expect(200);
    let began = Instant::now();
    lambda.request(Front::HttpApi, &request).await.expect(200);
    // An export of its own would be given five seconds, and its answer would wait for them.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_before_the_route_has_a_span_whose_trace_its_problem_names() {
    let Some(mut site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    let collector = collected(&mut site).await;
    let mut florin = site.serve().await;
    let client = site.client(&florin, "acme");
    for (path, status) in
        [("/v1/nothing", 404), ("/v1/payments/pay_%ff", 400), ("/v1/payments?colour=red", 400)]
    {
        let refused = client.get(path).await.expect(status);
        let trace = refused.body["trace_id"].as_str().expect("a trace").to_owned();
        let span = collector.span(path, |span| span.trace_id == trace).await;
        assert_eq!(
            (span.kind, span.attribute("http.response.status_code")),
            (SpanKind::Server, status.to_string().as_str())
        );
        assert!(!span.failed, "what the caller did wrong is no error of the server");
        assert!(!span.attributes.values().any(|value| value.contains("colour")), "{span:?}");
    }
    florin.stop().await;
}
