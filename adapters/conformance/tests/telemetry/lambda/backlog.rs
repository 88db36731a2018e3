//! No timer runs in a function, and nobody reads it: what waits is looked at with the ticks of its jobs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use florin_conformance::lambda::{Front, Lambda};
use florin_conformance::site::{Broker, Site};
use florin_kernel::metric::{self, Metric};
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::suite::Engine;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue;
use opentelemetry_proto::tonic::metrics::v1 as proto;
use prost::Message;
use serde_json::json;
use tokio::net::TcpListener;

/// What gauges said last, by their name and the service that they are of.
#[derive(Clone, Default)]
struct Gauges(Arc<Mutex<BTreeMap<(String, String), f64>>>);

impl Gauges {
    /// Takes OTLP over HTTP until the test ends; where.
    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let routes = Router::new()
            .route("/v1/traces", post(async || ()))
            .route("/v1/metrics", post(async |State(gauges): State<Self>, body: Bytes| gauges.take(body)))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        base
    }

    fn take(&self, body: Bytes) {
        let sent = ExportMetricsServiceRequest::decode(body).expect("OTLP");
        let scopes = sent.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        let mut said = self.0.lock().expect("nobody panicked");
        for metric in scopes.flat_map(|scope| scope.metrics) {
            let Some(proto::metric::Data::Gauge(gauge)) = metric.data else { continue };
            for point in gauge.data_points {
                let Some(proto::number_data_point::Value::AsDouble(value)) = point.value else { continue };
                said.insert((metric.name.clone(), service_of(&point)), value);
            }
        }
    }

    fn said(&self, metric: &Metric, service: &str) -> Option<f64> {
        let said = self.0.lock().expect("nobody panicked");
        said.get(&(metric.name.to_owned(), service.to_owned())).copied()
    }
}

fn service_of(point: &proto::NumberDataPoint) -> String {
    let label = point.attributes.iter().find(|label| label.key == metric::SERVICE);
    match label.and_then(|label| label.value.clone()).and_then(|value| value.value) {
        Some(StringValue(service)) => service,
        _ => String::new(),
    }
}

async fn check(engine: Engine) {
    // Nobody is there who takes an event.
    let Some(mut site) = Site::new(engine, &Broker::Http("http://127.0.0.1:9".to_owned())).await else {
        return;
    };
    let gauges = Gauges::default();
    site.set("OTEL_EXPORTER_OTLP_ENDPOINT", gauges.serve().await);
    // Nothing but the end of an invocation sends anything while this test runs.
    site.set("OTEL_BSP_SCHEDULE_DELAY", "600000");
    site.set("OTEL_METRIC_EXPORT_INTERVAL", "600000");
    // On a machine that is building at the same time a second may be too short.
    site.set("FLORIN_OTLP_FLUSH_MS", "20000");
    site.set("FLORIN_PUBLIC_URL", "https://pay.example");
    let token = site.token("acme");
    let lambda = Lambda::start(&site, "lambda").await;

    let of_no_tenant = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "florin.payment.created.v1", "data": {},
    });
    let batch = json!({ "Records": [{
        "messageId": "1", "receiptHandle": "1", "body": of_no_tenant.to_string(), "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:florin-audit-record_event",
    }]});
    assert_eq!(lambda.invoke(&batch).await.answer(), json!({ "batchItemFailures": [] }));
    assert_eq!(gauges.said(&metric::DEAD_LETTERS_DEPTH, "audit"), None, "only ticks look");

    // The second look comes at once after the first: a function cannot know how long it was frozen between them.
    let bearer = format!("Bearer {token}");
    let payment = HttpRequest::new("POST", "/v1/payments").header("authorization", &bearer);
    let body = json!({ "amount": 4_200, "currency": "EUR", "payment_method": "pm_card_visa" }).to_string();
    for key in ["key-1", "key-2"] {
        let create = payment.clone().header("idempotency-key", key).body("application/json", body.clone());
        lambda.request(Front::HttpApi, &create).await.expect(201);
        let ticked = lambda.invoke(&json!({ "florin": { "job": "payments.sweep" } })).await.answer();
        assert_eq!(ticked["disposition"], "done");
        let waiting = site.unpublished();
        assert!(waiting > 0, "nobody took an event");
        assert_eq!(gauges.said(&metric::OUTBOX_DEPTH, "payments"), Some(waiting as f64));
        assert!(gauges.said(&metric::OUTBOX_AGE, "payments").is_some_and(|age| age > 0.0));
    }
    assert_eq!(gauges.said(&metric::DEAD_LETTERS_DEPTH, "audit"), Some(1.0));
    assert_eq!(gauges.said(&metric::EFFECTS_NEED_REVIEW, "payments"), Some(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backlog_is_sent_with_a_tick_on_sqlite() {
    check(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backlog_is_sent_with_a_tick_on_postgresql() {
    check(Engine::Postgres).await;
}
