//! The same request gets the same answer from a container and through every front of a function.

use florin_conformance::client::{Client, Outgoing, Reply};
use florin_conformance::lambda::{Front, Lambda};
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::suite::Engine;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::{WithMethod, created, get, post, site};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// What a customer sees, less what the front or the socket says by itself.
fn seen(reply: &Reply) -> (u16, Vec<(String, String)>, String) {
    const OWN: [&str; 3] = ["date", "content-length", "connection"];
    let headers = reply.headers.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
    let mut headers: Vec<(String, String)> =
        headers.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
    headers.sort();
    (reply.status, headers, String::from_utf8_lossy(&reply.bytes).into_owned())
}

/// The request as a client of a container sends it.
async fn contained(container: &Client, request: &HttpRequest) -> Reply {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query: Vec<String> =
        request.query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let path = match query.is_empty() {
        true => request.path.clone(),
        false => format!("{}?{}", request.path, query.join("&")),
    };
    const OWN: [&str; 2] = ["host", "content-length"];
    let headers = request.headers.iter().filter(|(name, _)| !OWN.contains(&name.as_str())).cloned().collect();
    let method: Method = request.method.parse().expect("a method");
    let outgoing = Outgoing { headers, body: request.body.clone() };
    container.send(method, &path, outgoing).await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_and_every_front_of_a_function_answer_alike() {
    let Some((site, _sink)) = site(Engine::Sqlite).await else { return };
    let florin = site.serve().await;
    let container = Client::new(florin.base(), None);
    let lambda = Lambda::start(&site, "lambda").await;
    let token = site.token("acme");
    let payment = created(&lambda, &token).await;
    let confirm = post(&token, &format!("/v1/payments/{payment}/confirm"), "confirm-1", &json!({}));
    contained(&container, &confirm).await.expect(200);
    let reader = site.command(&["token", "--tenant", "acme", "--scope", "payments:read"]);
    let reader = reader.trim_end();
    let path = format!("/v1/payments/{payment}");
    let create = json!({ "amount": 4_200, "currency": "EUR", "payment_method": "pm_card_visa" });

    let requests = [
        ("a payment", 200, get(&token, &path)),
        ("a percent-encoded path", 200, get(&token, &path.replace('_', "%5F"))),
        ("a list", 200, get(&token, "/v1/payments").query("limit", "1").query("status", "succeeded")),
        ("no such payment", 404, get(&token, "/v1/payments/pay_01a20c4981047b05ab49de913dc43ad3")),
        ("no identifier", 400, get(&token, "/v1/payments/a%20b%C3%A9")),
        ("another tenant's payment", 404, get(site.token("other").as_str(), &path)),
        ("no path", 404, get(&token, "/v1/nothing")),
        ("no method of the path", 405, get(&token, &path).method("DELETE")),
        ("no token", 401, HttpRequest::new("GET", &path)),
        ("a token that is none", 401, get("a.b.c", &path)),
        ("too few scopes", 403, post(reader, "/v1/payments", "create-2", &create)),
        ("an answer given before", 201, post(&token, "/v1/payments", "create-1", &create)),
        ("a confirm answered before", 200, confirm),
        (
            "a key with another body",
            422,
            post(&token, "/v1/payments", "create-1", &json!({ "amount": 1, "currency": "EUR" })),
        ),
        (
            "an unknown field",
            400,
            post(&token, "/v1/payments", "create-3", &json!({ "amount": 1, "currency": "EUR", "amuont": 2 })),
        ),
        (
            "a float",
            400,
            post(&token, "/v1/payments", "create-4", &json!({ "amount": 1.5, "currency": "EUR" })),
        ),
        (
            "another media type",
            415,
            get(&token, "/v1/payments").method("POST").body("text/plain", "amount=1"),
        ),
        (
            "bytes that are no text",
            400,
            get(&token, "/v1/payments").method("POST").body("application/json", vec![0xff, 0xfe]),
        ),
        ("an unknown parameter", 400, get(&token, "/v1/payments").query("stauts", "succeeded")),
        ("the contract", 200, HttpRequest::new("GET", "/openapi.json")),
        ("the documentation", 200, HttpRequest::new("GET", "/docs")),
    ];
    for (what, status, request) in requests {
        let request = request.header("traceparent", TRACE).header("x-request-id", "request-1");
        let expected = seen(&contained(&container, &request).await);
        assert_eq!(expected.0, status, "{what}: {expected:?}");
        for front in Front::ALL {
            let answered = lambda.request(front, &request).await;
            assert_eq!(seen(&answered), expected, "{what} through {front:?}");
        }
    }

    // Refused before its header fields are read: everything but the trace is the same. An HTTP API decodes the path
    // before it hands it over, so nobody can tell there that the slash was encoded.
    let ambiguous = get(&token, "/v1/payments/a%2Fb");
    let expected = contained(&container, &ambiguous).await.expect(400);
    for front in Front::ALL.into_iter().filter(|front| *front != Front::HttpApi) {
        let answered = lambda.request(front, &ambiguous).await.expect(400);
        assert_eq!(answered.body["code"], expected.body["code"], "{front:?}");
        assert_eq!(answered.body["detail"], expected.body["detail"], "{front:?}");
    }
}
