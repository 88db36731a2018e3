//! `/metrics`: every name is in the one list, and what waits is shown as it is on both databases.

use std::collections::{BTreeMap, BTreeSet};

use florin_conformance::client::Client;
use florin_conformance::site::{Broker, Site};
use florin_conformance::wait::until;
use florin_kernel::metric::{self, Instrument, METRICS, Metric};
use florin_testkit::suite::Engine;
use serde_json::json;

/// What a process shows now.
struct Shown(String);

impl Shown {
    async fn by(base: &str) -> Self {
        let reply = Client::new(base, None).get("/metrics").await.expect(200);
        assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        Self(String::from_utf8(reply.bytes).expect("text"))
    }

    /// Names and kinds, as the lines that begin with `# TYPE` say.
    fn types(&self) -> BTreeMap<String, String> {
        let lines = self.0.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        lines.filter_map(|line| line.split_once(' ')).map(|(n, t)| (n.to_owned(), t.to_owned())).collect()
    }

    /// The value of a metric whose labels hold this text.
    fn value(&self, of: &Metric, labels: &str) -> Option<f64> {
        let name = of.prometheus();
        let mut lines = self.0.lines().filter(|line| line.starts_with(&format!("{name}{{")));
        lines.find(|line| line.contains(labels))?.rsplit(' ').next()?.parse().ok()
    }
}

async fn check(engine: Engine, broker: &Broker) {
    let Some(mut site) = Site::new(engine, broker).await else { return };
    if !matches!(broker, Broker::Embedded) {
        // Elsewhere they have a listener of their own.
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let at = free.local_addr().expect("an address");
        site.set("FLORIN_METRICS_LISTEN", at.to_string());
    }
    let mut florin = site.serve().await;
    let listener = site.environment().into_iter().find(|(name, _)| name == "FLORIN_METRICS_LISTEN");
    let metrics = listener.map_or_else(|| florin.base().to_owned(), |(_, at)| format!("http://{at}"));
    let client = site.client(&florin, "acme");
    let paid = json!({ "amount": 900, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    client.post("/v1/payments", paid).await.expect(201);
    Client::new(florin.base(), None).get("/v1/payments").await.expect(401);
    let shown = until("deliveries are counted", || async {
        let shown = Shown::by(&metrics).await;
        let done = "florin_function=\"audit.record_event\",florin_disposition=\"done\"";
        shown.value(&metric::DELIVERIES, done).filter(|count| *count >= 4.0).map(|_| shown)
    })
    .await;

    let known: BTreeMap<String, &str> = METRICS
        .iter()
        .map(|metric| {
            let kind = match metric.instrument {
                Instrument::Counter => "counter",
                Instrument::Gauge => "gauge",
                Instrument::Histogram => "histogram",
            };
            (metric.prometheus(), kind)
        })
        .collect();
    for (name, kind) in shown.types() {
        assert_eq!(known.get(&name).copied(), Some(kind.as_str()), "{name}");
    }
    let names: BTreeSet<String> = shown.types().into_keys().collect();
    for wanted in [
        metric::HTTP_SERVER_DURATION,
        metric::HTTP_CLIENT_DURATION,
        metric::PROCESS_DURATION,
        metric::PUBLISH_DURATION,
        metric::SENT_MESSAGES,
        metric::CONSUMED_MESSAGES,
        metric::DELIVERIES,
        metric::DELIVERY_LAG,
        metric::UNAUTHENTICATED,
        metric::QUEUE_DEPTH,
        metric::OUTBOX_DEPTH,
        metric::OUTBOX_AGE,
        metric::EFFECTS_DEPTH,
        metric::EFFECTS_AGE,
        metric::EFFECTS_NEED_REVIEW,
        metric::DEAD_LETTERS_DEPTH,
    ] {
        assert!(names.contains(&wanted.prometheus()), "{} in {}", wanted.prometheus(), shown.0);
    }
    for bucket in ["0.005", "0.75", "10", "+Inf"] {
        let line = format!(
            "http_server_request_duration_seconds_bucket{{http_route=\"/v1/payments\",http_request_method=\"POST\",http_response_status_code=\"201\",url_scheme=\"http\",error_type=\"\",florin_service=\"payments\",le=\"{bucket}\"}}"
        );
        assert!(shown.0.contains(&line), "{line} in {}", shown.0);
    }
    let peer = site.sandbox.base();
    let (_, port) = peer.rsplit_once(':').expect("an address with a port");
    let of_peer = format!("server_address=\"127.0.0.1\",server_port=\"{port}\"");
    assert!(shown.0.contains(&of_peer), "{of_peer} in {}", shown.0);
    assert!(!shown.0.contains("acme"), "a tenant is no label");
    florin.stop().await;
}

/// An effect whose provider is away waits and grows old, and is shown while it does.
async fn check_backlog(engine: Engine) {
    let Some(mut site) = Site::new(engine, &Broker::Embedded).await else { return };
    site.set("FLORIN_CARD_URL", "http://127.0.0.1:9");
    site.set("FLORIN_WAIT_MS", "50");
    let mut florin = site.serve().await;
    let client = site.client(&florin, "acme");
    let before = Shown::by(florin.base()).await;
    let payments = "florin_service=\"payments\"";
    assert_eq!(before.value(&metric::EFFECTS_DEPTH, payments), Some(0.0), "{}", before.0);
    assert_eq!(before.value(&metric::EFFECTS_AGE, payments), Some(0.0));
    let paid = json!({ "amount": 900, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    client.post("/v1/payments", paid).await.expect(202);
    let shown = until("the effect is shown", || async {
        let shown = Shown::by(florin.base()).await;
        shown.value(&metric::EFFECTS_DEPTH, payments).filter(|count| *count > 0.0).map(|_| shown)
    })
    .await;
    assert_eq!(shown.value(&metric::EFFECTS_DEPTH, payments), Some(1.0));
    assert!(shown.value(&metric::EFFECTS_AGE, payments).is_some_and(|age| age > 0.0), "{}", shown.0);
    assert_eq!(shown.value(&metric::EFFECTS_DEPTH, "florin_service=\"audit\""), Some(0.0));
    assert_eq!(shown.value(&metric::EFFECTS_NEED_REVIEW, payments), Some(0.0));
    florin.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_with_the_embedded_queue_every_metric_is_a_known_one() {
    check(Engine::Sqlite, &Broker::Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_with_rabbitmq_every_metric_is_a_known_one() {
    check(Engine::Postgres, &Broker::RabbitMq).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_with_sqs_every_metric_is_a_known_one() {
    check(Engine::Postgres, &Broker::Sqs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_waits_is_shown_on_sqlite() {
    check_backlog(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_waits_is_shown_on_postgresql() {
    check_backlog(Engine::Postgres).await;
}
