//! The log: names of the Elastic Common Schema, each fault once, and never what nobody may read.

use florin_conformance::client::{Client, Outgoing};
use florin_conformance::site::{Broker, Site};
use florin_conformance::wait::until;
use florin_testkit::suite::Engine;
use http::Method;
use serde_json::{Value, json};

/// What must not be in any line: it stands in requests, tokens, credentials and addresses.
const CANARIES: [&str; 6] = [
    "canary-in-a-body",
    "canary-in-a-token",
    "canary-credential",
    "canary-in-a-query",
    "4242424242424242",
    "canary-delivery-secret",
];

/// Every line of a process's log; each has to be JSON with the names that ECS logging requires.
fn lines(log: &str) -> Vec<Value> {
    let json = log.lines().filter(|line| line.starts_with('{'));
    let lines: Vec<Value> = json.map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    for line in &lines {
        for name in ["@timestamp", "log.level", "message", "ecs.version", "service.name", "log.logger"] {
            assert!(line[name].is_string(), "{name} in {line}");
        }
        let time = line["@timestamp"].as_str().unwrap_or_default();
        assert!(time.ends_with('Z') && time.len() == "2026-01-01T00:00:00.000000Z".len(), "{time}");
        let plain = line.as_object().expect("an object").keys().filter(|name| !name.contains('.'));
        assert!(plain.clone().all(|name| name == "@timestamp" || name == "message"), "{line}");
    }
    lines
}

/// Asks for what is refused in every way that a secret could slip through.
async fn misuse(client: &Client, token: &str, base: &str) {
    let outgoing = |headers: &[(&str, &str)], body: &str| Outgoing {
        headers: headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    };
    let json = ("content-type", "application/json");
    let card = r#"{"amount": 1, "currency": "EUR", "payment_method": "4242424242424242", "description": "canary-in-a-body"}"#;
    client.send(Method::POST, "/v1/payments", outgoing(&[json], card)).await.expect("an answer").expect(400);
    let unknown = r#"{"amount": 1, "canary-in-a-body": "canary-in-a-body"}"#;
    client
        .send(Method::POST, "/v1/payments", outgoing(&[json], unknown))
        .await
        .expect("an answer")
        .expect(400);
    let broken = r#"{"amount": "canary-in-a-body"#;
    client
        .send(Method::POST, "/v1/payments", outgoing(&[json], broken))
        .await
        .expect("an answer")
        .expect(400);
    client.get("/v1/payments?colour=canary-in-a-query").await.expect(400);
    let (head, _) = token.rsplit_once('.').expect("a signature");
    for refused in [format!("Bearer {head}.canary-in-a-token"), "Bearer canary-in-a-token".to_owned()] {
        let nobody = Client::new(base, None);
        let asked =
            nobody.send(Method::GET, "/v1/payments", outgoing(&[("authorization", &refused)], "")).await;
        asked.expect("an answer").expect(401);
    }
    let door = ("authorization", "Bearer canary-in-a-token");
    let asked =
        client.send(Method::POST, "/_deliver/audit.record_event", outgoing(&[json, door], "{}")).await;
    assert!(asked.expect("an answer").status >= 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_stands_in_the_log_whatever_fails() {
    let Some(mut site) = Site::new(Engine::Postgres, &Broker::Embedded).await else { return };
    site.set("FLORIN_CARD_URL", "http://user:canary-credential@127.0.0.1:9");
    site.set("FLORIN_CARD_CREDENTIAL", "canary-credential");
    site.set("FLORIN_DELIVERY_SECRET", "canary-delivery-secret");
    site.set("FLORIN_WAIT_MS", "50");
    site.set("FLORIN_LOG", "debug,hyper=info,h2=info,sqlx=warn,reqwest=info");
    let mut florin = site.serve().await;
    let token = site.token("acme");
    let client = Client::new(florin.base(), Some(token.clone()));
    misuse(&client, &token, florin.base()).await;
    // The provider cannot be reached: the effect fails, again and again.
    let paid = json!({
        "amount": 900, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true,
        "description": "canary-in-a-body", "metadata": { "note": "canary-in-a-body" },
    });
    client.post("/v1/payments", paid).await.expect(202);
    let effects = site.rows("payments");
    until("the effect fails", || async {
        let failed = effects.number("SELECT count(*) FROM florin_effects WHERE last_error IS NOT NULL").await;
        (failed > 0).then_some(())
    })
    .await;
    florin.stop().await;
    let log = florin.process().log();
    assert!(!lines(&log).is_empty());
    for canary in CANARIES {
        let found: Vec<&str> = log.lines().filter(|line| line.contains(canary)).collect();
        assert!(found.is_empty(), "{canary} in {found:#?}");
    }
    let (_, signature) = token.rsplit_once('.').expect("a signature");
    // What the process prints for a person is no part of its log.
    assert!(!log.lines().filter(|line| line.starts_with('{')).any(|line| line.contains(signature)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_logged_once_with_its_names() {
    let Some(site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    let mut florin = site.serve().await;
    let client = site.client(&florin, "acme");
    // Somebody has damaged the database: the statement cannot run, and nobody said why to the caller.
    site.rows("payments").run("ALTER TABLE payments RENAME TO lost").await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut outgoing = Outgoing::default();
    outgoing.headers.push(("traceparent".to_owned(), format!("00-{trace}-00f067aa0ba902b7-01")));
    let answer = client.send(Method::GET, "/v1/payments", outgoing).await.expect("an answer").expect(500);
    assert_eq!((answer.code(), &answer.body["trace_id"]), ("internal", &json!(trace)));
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("no such table"));
    florin.stop().await;
    let lines = lines(&florin.process().log());
    let faults: Vec<&Value> = lines
        .iter()
        .filter(|line| line["error.message"].as_str().is_some_and(|m| m.contains("no such table: payments")))
        .collect();
    let [fault] = faults[..] else { panic!("{faults:#?}") };
    assert_eq!((&fault["log.level"], &fault["trace.id"]), (&json!("error"), &json!(trace)));
    assert_eq!(fault["florin.function"], "payments.list_payments");
    assert_eq!(fault["http.route"], "/v1/payments");
    assert_eq!(fault["span.id"].as_str().map(str::len), Some(16));
}

/// A charge that its provider never hears of and a record that cannot be written: what both processes say of it is
/// said in the trace of the request. Nothing is said of what goes well.
#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_both_processes_name_the_trace_of_the_request() {
    let Some(mut site) = Site::new(Engine::Postgres, &Broker::RabbitMq).await else { return };
    site.set("FLORIN_CARD_URL", "http://127.0.0.1:9");
    site.set("FLORIN_WAIT_MS", "50");
    let mut payments = site.serve_with("payments", &[("FLORIN_FUNCTIONS", "payments.*")]).await;
    let mut audit = site.serve_with("audit", &[("FLORIN_FUNCTIONS", "audit.*")]).await;
    site.rows("audit").run("ALTER TABLE audit_records RENAME TO lost").await;
    let client = site.client(&payments, "acme");
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let paid = json!({ "amount": 900, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    let mut outgoing = Outgoing::json(&paid, Some("both-logs"));
    outgoing.headers.push(("traceparent".to_owned(), format!("00-{trace}-00f067aa0ba902b7-01")));
    client.send(Method::POST, "/v1/payments", outgoing).await.expect("an answer").expect(202);
    for (process, function) in [("payments", "payments.charge_card"), ("audit", "audit.record_event")] {
        let log = site.directory().join(format!("{process}.log"));
        until(function, || async {
            let lines = lines(&std::fs::read_to_string(&log).ok()?);
            let of_it: Vec<&Value> =
                lines.iter().filter(|line| line["florin.function"] == function).collect();
            assert!(of_it.iter().all(|line| line["trace.id"] == trace), "{of_it:#?}");
            (!of_it.is_empty()).then_some(())
        })
        .await;
    }
    payments.stop().await;
    audit.stop().await;
}
