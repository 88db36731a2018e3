//! Doors of every kind: what a front makes of the answer is what the HTTP front says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use florin_kernel::service::Settings;
use florin_testkit::client::Outgoing;
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::porch::{CLIENT, FILE, PORCH};
use florin_testkit::suite::{Client, Engine, Suite};
use serde_json::Value;

use crate::Environment;

/// What a client sees: status, the header fields of interest in order, and the bytes.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u64,
    headers: Vec<(String, String)>,
    bytes: Vec<u8>,
}

const OF_INTEREST: [&str; 7] = [
    "content-type",
    "location",
    "set-cookie",
    "etag",
    "content-disposition",
    "www-authenticate",
    "cache-control",
];

fn through_a_front(answer: &Value) -> Seen {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut headers = Vec::new();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        headers.push((name.to_ascii_lowercase(), text(value)));
    }
    for (name, values) in answer["multiValueHeaders"].as_object().into_iter().flatten() {
        headers.extend(values.as_array().unwrap().iter().map(|value| (name.clone(), text(value))));
    }
    let cookies = answer["cookies"].as_array().into_iter().flatten();
    headers.extend(cookies.map(|cookie| ("set-cookie".to_owned(), text(cookie))));
    let body = text(&answer["body"]);
    let bytes = match answer["isBase64Encoded"].as_bool().unwrap() {
        true => STANDARD.decode(body).unwrap(),
        false => body.into_bytes(),
    };
    Seen { status: answer["statusCode"].as_u64().unwrap(), headers: of_interest(headers), bytes }
}

fn of_interest(mut headers: Vec<(String, String)>) -> Vec<(String, String)> {
    headers.retain(|(name, _)| OF_INTEREST.contains(&name.as_str()));
    headers.sort();
    headers
}

async fn over_http(client: &Client, sent: &HttpRequest) -> Seen {
    let mut target = sent.path.clone();
    for (nth, (name, value)) in sent.query.iter().enumerate() {
        target.push_str(if nth == 0 { "?" } else { "&" });
        target.push_str(&format!("{name}={value}"));
    }
    let outgoing = Outgoing { headers: sent.headers.clone(), body: sent.body.clone() };
    let reply = client.send(sent.method.parse().unwrap(), &target, outgoing).await.unwrap();
    let headers =
        reply.headers.iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
    Seen { status: reply.status.into(), headers: of_interest(headers), bytes: reply.bytes }
}

async fn check(name: &str, sent: HttpRequest, status: u64, says: &[&str]) -> Seen {
    let suite = Suite::start(Engine::Sqlite, &[&PORCH], &Settings::default()).await.unwrap();
    let environment = Environment::new(suite.router.clone()).await;
    let bearer = format!("Bearer {}", suite.client("anna").token().unwrap());
    let public = sent.headers.iter().any(|(name, _)| name == "authorization") || sent.path.contains("/anna");
    // One trace, so that problems are the same bytes.
    let mut sent = sent.header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    if !public {
        sent = sent.header("authorization", &bearer);
    }
    let first = over_http(&suite.stranger(), &sent).await;
    assert_eq!(first.status, status, "{name}: {first:?}");
    for wanted in says {
        let found = first.headers.iter().any(|(name, value)| format!("{name}: {value}").starts_with(wanted));
        assert!(found, "{name} does not say {wanted}: {first:?}");
    }
    for event in [
        sent.through_rest_api(),
        sent.through_http_api(),
        sent.through_function_url(),
        sent.through_load_balancer(true),
        sent.through_load_balancer(false),
    ] {
        let seen = through_a_front(&environment.handle(&event).await.unwrap());
        assert_eq!(seen, first, "{name}: {event}");
    }
    first
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_form_and_a_refusal_of_oauth() {
    let asked = |form: &str| {
        let request = HttpRequest::new("POST", "/porch/anna/tokens").header("authorization", CLIENT);
        request.body(FORM, form)
    };
    check("a form", asked("grant_type=authorization_code&code=good+%26+new"), 200, &[]).await;
    let stale = check("a stale code", asked("grant_type=authorization_code&code=old"), 400, &[]).await;
    assert!(String::from_utf8(stale.bytes).unwrap().starts_with(r#"{"error":"invalid_grant""#));
    let stranger = HttpRequest::new("POST", "/porch/anna/tokens").body(FORM, "grant_type=a&code=b");
    check("a stranger", stranger, 401, &["www-authenticate: Basic"]).await;
}

#[tokio::test]
async fn signed_bytes_that_are_no_text() {
    let letter = HttpRequest::new("POST", "/porch/anna/letters").header("x-seal", "/wB7DQo=");
    let letter = letter.body("application/octet-stream", [0xff, 0x00, b'{', b'\r', b'\n']);
    let taken = check("a letter", letter, 200, &[]).await;
    assert_eq!(taken.bytes, br#""/wB7DQo=""#);
}

#[tokio::test]
async fn a_page_with_a_cookie_a_file_and_a_redirect() {
    let page = HttpRequest::new("GET", "/porch/anna").header("cookie", "theme=dark; visits=4");
    check("a page", page, 200, &["content-type: text/html", "set-cookie: visits=5;"]).await;
    let file = HttpRequest::new("GET", "/porch/files/plan.bin");
    let file =
        check("a file", file, 200, &["content-type: application/x-porch", "content-disposition: "]).await;
    assert_eq!(file.bytes, FILE);
    let path = HttpRequest::new("GET", "/porch/paths").query("to", "roses");
    check("a redirect", path, 303, &["location: https://garden.example/roses"]).await;
}

#[tokio::test]
async fn header_fields_in_and_out_and_two_cookies() {
    let hang = |seen: &str| {
        let asked = HttpRequest::new("POST", "/porch/coats").header("if-match", seen);
        asked.body("application/json", r#"{"colour":"red"}"#)
    };
    check("a coat", hang("7"), 200, &["etag: 8", "set-cookie: coat=red;", "set-cookie: hat=;"]).await;
    check("a typed header", hang("seven"), 400, &["content-type: application/problem+json"]).await;
}
