//! `/metrics` as `OpenMetrics`, read by the reference parser: what a bucket shows is the trace of a request in it.

use std::collections::BTreeMap;
use std::process::Command;

use florin_conformance::client::{Client, Reply};
use florin_conformance::site::{Broker, Site};
use florin_conformance::wait::until;
use florin_kernel::metric::{Instrument, METRICS};
use florin_servers::Part;
use florin_testkit::suite::Engine;
use serde::Deserialize;
use serde_json::json;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// What Prometheus 3.5 sends unless it is told otherwise.
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
    application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
    text/plain;version=0.0.4;q=0.2,*/*;q=0.1";

const PARSER: &str = r#"
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families

def told(sample):
    exemplar = sample.exemplar
    of = exemplar and {"labels": exemplar.labels, "value": exemplar.value, "timestamp": float(exemplar.timestamp)}
    return {"name": sample.name, "labels": sample.labels, "value": sample.value, "exemplar": of}

families = text_string_to_metric_families(open(sys.argv[1], encoding="utf-8", newline="").read())
print(json.dumps([{"name": f.name, "type": f.type, "samples": [told(s) for s in f.samples]} for f in families]))
"#;

#[derive(Deserialize)]
struct Family {
    name: String,
    r#type: String,
    samples: Vec<Sample>,
}

#[derive(Debug, Deserialize)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    exemplar: Option<Exemplar>,
}

#[derive(Debug, Deserialize)]
struct Exemplar {
    labels: BTreeMap<String, String>,
    value: f64,
    timestamp: f64,
}

impl Sample {
    fn is_of(&self, labels: &[(&str, &str)]) -> bool {
        labels.iter().all(|&(name, value)| self.labels.get(name).map(String::as_str) == Some(value))
    }
}

async fn shown(florin: &Client, accept: &str) -> Reply {
    florin.request("GET", "/metrics", &[("accept", accept)], "").await.expect(200)
}

/// What the parser makes of it; it refuses what breaks the standard.
fn parsed(site: &Site, python: &str, text: &[u8]) -> Vec<Family> {
    let path = site.directory().join("metrics.txt");
    std::fs::write(&path, text).expect("a scratch directory");
    let ran = Command::new(python).args(["-c", PARSER]).arg(&path).output().expect("Python runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(text));
    serde_json::from_slice(&ran.stdout).expect("what the parser printed")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_shows_the_trace_of_a_request_in_it() {
    let Some(python) = Part::Python.needed() else { return };
    let Some(site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    let mut florin = site.serve().await;
    let client = site.client(&florin, "acme");
    let paid = json!({ "amount": 900, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "openmetrics"),
        ("traceparent", parent.as_str()),
    ];
    client.request("POST", "/v1/payments", &headers, &paid.to_string()).await.expect(201);
    for (series, labels) in [
        (
            "http_server_request_duration_seconds",
            [("http_route", "/v1/payments"), ("http_request_method", "POST")],
        ),
        ("http_client_request_duration_seconds", [("server_address", "127.0.0.1"), ("error_type", "")]),
        ("messaging_process_duration_seconds", [("messaging_system", "florin"), ("error_type", "")]),
    ] {
        let exemplar = until("the exemplar is shown", || async {
            let reply = shown(&client, PROMETHEUS).await;
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            assert_eq!(reply.header("content-type"), Some(kind));
            let families = parsed(&site, &python, &reply.bytes);
            let family = families.into_iter().find(|family| family.name == series)?;
            family.samples.into_iter().filter(|one| one.is_of(&labels)).find_map(|one| {
                assert!(one.exemplar.is_none() || one.name == format!("{series}_bucket"), "{one:?}");
                one.exemplar.filter(|exemplar| exemplar.labels["trace_id"] == TRACE)
            })
        })
        .await;
        assert_eq!(exemplar.labels["span_id"].len(), 16, "{exemplar:?}");
        assert!(exemplar.value > 0.0 && exemplar.timestamp > 1_700_000_000.0, "{exemplar:?}");
    }
    florin.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_family_is_a_known_one_and_the_text_format_is_for_whoever_does_not_ask() {
    let Some(python) = Part::Python.needed() else { return };
    let Some(site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    let mut florin = site.serve().await;
    let client = site.client(&florin, "acme");
    client.get("/v1/payments").await.expect(200);
    Client::new(florin.base(), None).get("/v1/payments").await.expect(401);
    let known: BTreeMap<String, &str> = METRICS
        .iter()
        .map(|metric| {
            let name = metric.prometheus();
            match metric.instrument {
                Instrument::Counter => (name.trim_end_matches("_total").to_owned(), "counter"),
                Instrument::Gauge => (name, "gauge"),
                Instrument::Histogram => (name, "histogram"),
            }
        })
        .collect();
    let families = parsed(&site, &python, &shown(&client, PROMETHEUS).await.bytes);
    for family in &families {
        assert_eq!(known.get(&family.name).copied(), Some(family.r#type.as_str()), "{}", family.name);
    }
    for kind in ["counter", "gauge", "histogram"] {
        assert!(families.iter().any(|family| family.r#type == kind), "{kind}");
    }
    for accept in ["*/*", "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5"] {
        let text = shown(&client, accept).await;
        assert_eq!(text.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        let text = String::from_utf8(text.bytes).expect("text");
        assert!(text.contains("# TYPE florin_unauthenticated_total counter"), "{text}");
        // An exemplar is a syntax error there.
        assert!(!text.contains("trace_id") && !text.contains("# EOF"), "{text}");
    }
    florin.stop().await;
}
