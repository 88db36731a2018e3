//! The same request is the same `http::Request`, whichever front it came through.

use bytes::Bytes;
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use http::Request;

use crate::request;

/// Everything of a request that a function can see. Repeated headers are joined as RFC 9110 5.2 allows,
/// because an HTTP API and a function URL have done it already.
fn seen(request: &Request<Bytes>) -> (String, String, Vec<(String, String)>, Bytes) {
    let mut headers: Vec<(String, String)> = request
        .headers()
        .keys()
        .map(|name| {
            let values: Vec<&str> =
                request.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
            (name.to_string(), values.join(","))
        })
        .collect();
    headers.sort();
    (request.method().to_string(), request.uri().to_string(), headers, request.body().clone())
}

#[track_caller]
fn check(sent: &HttpRequest, target: &str) {
    let through_rest_api = request(&sent.through_rest_api()).unwrap();
    assert_eq!(through_rest_api.uri(), target);
    assert_eq!(through_rest_api.body(), &sent.body);
    let first = seen(&through_rest_api);
    for event in [
        sent.through_http_api(),
        sent.through_http_api_stage("prod"),
        sent.through_function_url(),
        sent.through_load_balancer(true),
    ] {
        assert_eq!(seen(&request(&event).unwrap()), first, "{event}");
    }
}

#[test]
fn a_plain_get() {
    check(&HttpRequest::new("GET", "/v1/payments"), "/v1/payments");
}

#[test]
fn a_query_with_repeated_and_reserved_values() {
    let sent = HttpRequest::new("GET", "/v1/payments")
        .query("created_gte", "2026-01-31T12:00:00+01:00")
        .query("empty", "")
        .query("reference", "50% & more, größer/kleiner?")
        .query("status", "processing")
        .query("status", "succeeded");
    check(
        &sent,
        "/v1/payments?created_gte=2026-01-31T12%3A00%3A00%2B01%3A00&empty=\
         &reference=50%25%20%26%20more%2C%20gr%C3%B6%C3%9Fer%2Fkleiner%3F&status=processing&status=succeeded",
    );
}

#[test]
fn a_path_with_encoded_characters() {
    check(&HttpRequest::new("GET", "/v1/payments/a%20b%C3%A9;c=1,d:@x"), "/v1/payments/a%20b%C3%A9;c=1,d:@x");
}

#[test]
fn repeated_headers_and_cookies() {
    let sent = HttpRequest::new("GET", "/")
        .header("x-forwarded-for", "203.0.113.7")
        .header("x-forwarded-for", "198.51.100.2")
        .header("via", "1.1 one")
        .header("via", "1.1 two")
        .header("cookie", "a=1; b=2")
        .header("cookie", "c=3")
        .header("authorization", "Bearer abc.def.ghi");
    check(&sent, "/");
    let kept = request(&sent.through_rest_api()).unwrap();
    assert_eq!(crate::all(&kept, "x-forwarded-for"), ["203.0.113.7", "198.51.100.2"]);
    assert_eq!(crate::all(&kept, "cookie"), ["a=1; b=2; c=3"]);
}

#[test]
fn a_json_body() {
    check(
        &HttpRequest::new("POST", "/v1/payments")
            .header("idempotency-key", "8e03978e-40d5-43e8-bc93-6894a57f9324")
            .body("application/json", r#"{"amount":1250,"currency":"EUR","reference":"größe"}"#),
        "/v1/payments",
    );
}

#[test]
fn a_form_and_a_body_of_bytes() {
    check(&HttpRequest::new("POST", "/token").body("application/x-www-form-urlencoded", "a=1&b=2"), "/token");
    check(
        &HttpRequest::new("PUT", "/file").body("application/octet-stream", [0xff, 0xfe, 0x00, 0x41]),
        "/file",
    );
}

#[test]
fn a_load_balancer_without_multi_value_headers_differs_only_in_what_it_has_thrown_away() {
    let sent = HttpRequest::new("POST", "/v1/payments")
        .query("q", "a b")
        .header("x-one", "1")
        .body("application/json", "{}");
    let single = request(&sent.through_load_balancer(false)).unwrap();
    assert_eq!(seen(&single), seen(&request(&sent.through_load_balancer(true)).unwrap()));
}
