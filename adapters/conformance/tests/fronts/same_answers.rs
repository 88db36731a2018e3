//! The same request gets the same answer on every way.

use florin_conformance::client::Reply;
use florin_conformance::lambda::Front;
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::suite::Engine;
use serde_json::{Value, json};

use crate::stage::{Stage, Way};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const NO_PAYMENT: &str = "/v1/payments/pay_01a20c4981047b05ab49de913dc43ad3";

/// What a customer sees, less what the front or the socket says by itself.
fn seen(reply: &Reply) -> (u16, Vec<(String, String)>, String) {
    const OWN: [&str; 3] = ["date", "content-length", "connection"];
    let headers = reply.headers.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
    let mut headers: Vec<(String, String)> =
        headers.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
    headers.sort();
    (reply.status, headers, String::from_utf8_lossy(&reply.bytes).into_owned())
}

fn get(token: &str, path: &str) -> HttpRequest {
    method("GET", token, path)
}

fn method(method: &str, token: &str, path: &str) -> HttpRequest {
    HttpRequest::new(method, path).header("authorization", &format!("Bearer {token}"))
}

fn post(token: &str, path: &str, key: &str, body: &Value) -> HttpRequest {
    text(token, path, key, &body.to_string())
}

fn text(token: &str, path: &str, key: &str, body: &str) -> HttpRequest {
    method("POST", token, path).header("idempotency-key", key).body("application/json", body)
}

/// A request with what it is about and the status that it has to get.
type Asked = (&'static str, u16, HttpRequest);

/// What may be read, and is not there to be read.
fn readings(token: &str, other: &str, payment: &str) -> Vec<Asked> {
    let path = format!("/v1/payments/{payment}");
    let list = || get(token, "/v1/payments");
    vec![
        ("a payment", 200, get(token, &path)),
        ("a percent-encoded path", 200, get(token, &path.replace('_', "%5F"))),
        ("a list", 200, list().query("limit", "1").query("status", "succeeded")),
        ("no such payment", 404, get(token, NO_PAYMENT)),
        ("no identifier", 400, get(token, "/v1/payments/a%20b%C3%A9")),
        ("another tenant's payment", 404, get(other, &path)),
        ("a slash at the end", 404, get(token, &format!("{path}/"))),
        ("no path", 404, get(token, "/v1/nothing")),
        ("an empty segment", 404, get(token, "/v1//payments")),
        ("no method of the path", 405, method("DELETE", token, &path)),
        ("a preflight that nobody answers", 405, method("OPTIONS", token, &path)),
        ("an unknown parameter", 400, list().query("stauts", "succeeded")),
        ("a parameter with a reserved value", 400, list().query("status", "50% & more, größer/kleiner?")),
        ("a limit of zero", 400, list().query("limit", "0")),
        ("a limit over a hundred", 400, list().query("limit", "101")),
        ("a limit that is no number", 400, list().query("limit", "1e1")),
        ("a cursor that is none", 400, list().query("cursor", "!!")),
        (
            "repeated header fields",
            200,
            list().query("limit", "1").header("via", "1.1 one").header("via", "1.1 two"),
        ),
        ("cookies", 200, list().query("limit", "1").header("cookie", "a=1; b=2")),
        ("the records of nobody", 200, get(token, "/v1/audit/records").query("resource", "pay_nobody")),
        ("a return that names no payment", 400, HttpRequest::new("GET", "/v1/returns/acme/pay_1/att_1")),
        ("the root", 303, HttpRequest::new("GET", "/")),
        ("the contract", 200, HttpRequest::new("GET", "/openapi.json")),
        ("the documentation", 200, HttpRequest::new("GET", "/docs")),
    ]
}

/// Who may not.
fn strangers(reader: &str, path: &str, create: &Value) -> Vec<Asked> {
    vec![
        ("no token", 401, HttpRequest::new("GET", path)),
        ("a token that is none", 401, get("a.b.c", path)),
        (
            "a credential of another scheme",
            401,
            HttpRequest::new("GET", path).header("authorization", "Basic YTpi"),
        ),
        ("too few scopes", 403, post(reader, "/v1/payments", "create-2", create)),
        ("no token at no path", 404, HttpRequest::new("GET", "/v1/nothing")),
    ]
}

/// What changes nothing any more: it was answered before, or is refused.
fn changes(token: &str, payment: &str, create: &Value, declined: &Value) -> Vec<Asked> {
    let path = format!("/v1/payments/{payment}");
    let new = |key: &str, body: Value| post(token, "/v1/payments", key, &body);
    let raw = |key: &str, body: &str| text(token, "/v1/payments", key, body);
    let mut charset = raw("create-1", &create.to_string());
    charset.headers.retain(|(name, _)| name != "content-type");
    let charset = charset.header("content-type", "application/json; charset=utf-8");
    vec![
        ("an answer given before", 201, new("create-1", create.clone())),
        ("an answer given before, in another media type", 201, charset),
        ("a decline given before", 402, new("declined", declined.clone())),
        ("a confirm answered before", 200, post(token, &format!("{path}/confirm"), "confirm-1", &json!({}))),
        (
            "a confirm of what is confirmed",
            409,
            post(token, &format!("{path}/confirm"), "confirm-2", &json!({})),
        ),
        (
            "a capture of what is captured",
            409,
            post(token, &format!("{path}/capture"), "capture-1", &json!({})),
        ),
        ("a change of no payment", 404, post(token, &format!("{NO_PAYMENT}/cancel"), "cancel-1", &json!({}))),
        ("a key with another body", 422, new("create-1", json!({ "amount": 1, "currency": "EUR" }))),
        ("a key that is too long", 400, new(&"k".repeat(300), create.clone())),
        ("an unknown field", 400, new("create-3", json!({ "amount": 1, "currency": "EUR", "amuont": 2 }))),
        ("a float", 400, new("create-4", json!({ "amount": 1.5, "currency": "EUR" }))),
        ("an exponent", 400, raw("create-5", r#"{"amount": 1e2, "currency": "EUR"}"#)),
        (
            "a number of too many bits",
            400,
            raw("create-6", r#"{"amount": 92233720368547758080, "currency": "EUR"}"#),
        ),
        ("a member given twice", 400, raw("create-7", r#"{"amount": 1, "amount": 1, "currency": "EUR"}"#)),
        ("half a body", 400, raw("create-8", r#"{"amount": 1, "cur"#)),
        ("an array", 400, raw("create-9", "[]")),
        ("no body", 400, method("POST", token, "/v1/payments")),
        ("another media type", 415, method("POST", token, "/v1/payments").body("text/plain", "amount=1")),
        (
            "bytes that are no text",
            400,
            method("POST", token, "/v1/payments").body("application/json", vec![0xff, 0xfe]),
        ),
        (
            "a body over the limit",
            413,
            raw("create-10", &format!("{{\"reference\": \"{}\"}}", "x".repeat(300_000))),
        ),
        ("a parameter where a body is meant", 400, new("create-11", create.clone()).query("amount", "1")),
    ]
}

async fn check(engine: Engine) {
    let Some(stage) = Stage::on(engine).await else { return };
    let (token, other) = (stage.site.token("acme"), stage.site.token("other"));
    let reader = stage.site.command(&["token", "--tenant", "acme", "--scope", "payments:read"]);
    let ways = stage.ways();
    let [first, others @ ..] = &ways[..] else { panic!("the container") };

    let create = json!({ "amount": 4_200, "currency": "EUR", "payment_method": "pm_card_visa" });
    let declined =
        json!({ "amount": 4_200, "currency": "EUR", "payment_method": "pm_card_declined", "confirm": true });
    let payment = stage.ask(first, &post(&token, "/v1/payments", "create-1", &create)).await.expect(201).id();
    let path = format!("/v1/payments/{payment}");
    stage.ask(first, &post(&token, &format!("{path}/confirm"), "confirm-1", &json!({}))).await.expect(200);
    stage.ask(first, &post(&token, "/v1/payments", "declined", &declined)).await.expect(402);

    let mut asked = readings(&token, &other, &payment);
    asked.extend(strangers(reader.trim_end(), &path, &create));
    asked.extend(changes(&token, &payment, &create, &declined));
    let mut wrong = Vec::new();
    for (what, status, request) in &asked {
        let request = request.clone().header("traceparent", TRACE).header("x-request-id", "request-1");
        // What a key answers the first time is not marked as given before: ask twice.
        stage.ask(first, &request).await;
        let expected = seen(&stage.ask(first, &request).await);
        if expected.0 != *status {
            wrong.push(format!("{what}: not {status} but {expected:?}"));
        }
        for way in others {
            let answer = seen(&stage.ask(way, &request).await);
            if answer != expected {
                wrong.push(format!("{what} through {way:?}: {answer:?}\n    and not {expected:?}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} answers are wrong:\n{}",
        wrong.len(),
        asked.len() * ways.len(),
        wrong.join("\n")
    );
    not_told_apart(&stage, &token, &ways).await;
}

/// What is refused everywhere but at the one front that hides it: an HTTP API decodes the path before it hands it over,
/// so nobody can tell that a slash was encoded; a load balancer without multi-value headers drops the first of two.
/// The refusal may come before the header fields are read, so all but the trace is compared.
async fn not_told_apart(stage: &Stage, token: &str, ways: &[Way]) {
    for (request, hides) in [
        (get(token, "/v1/payments/a%2Fb"), Front::HttpApi),
        (get(token, "/v1/payments").query("limit", "1").query("limit", "1"), Front::PlainLoadBalancer),
    ] {
        let expected = stage.ask(&ways[0], &request).await.expect(400);
        for way in ways.iter().filter(|way| !matches!(way, Way::Function(front) if *front == hides)) {
            let answered = stage.ask(way, &request).await.expect(400);
            assert_eq!(answered.body["code"], expected.body["code"], "{way:?}");
            assert_eq!(answered.body["detail"], expected.body["detail"], "{way:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_a_container_and_every_front_of_a_function_answer_alike() {
    check(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_a_container_knative_and_every_front_of_a_function_answer_alike() {
    check(Engine::Postgres).await;
}
