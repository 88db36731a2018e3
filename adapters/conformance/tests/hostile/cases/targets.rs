//! Paths and queries that two readers could understand differently, and such as nobody understands.

use super::Answer::{Broken, Parameter, Problem, Taken};
use super::Case;
use crate::request::Request;
use crate::way::{FUNCTION, FUNCTION_URL, H1, H2, HTTP_API, LOAD_BALANCER, PLAIN_LOAD_BALANCER, REST_API};

pub(super) fn cases() -> Vec<Case> {
    [ambiguous(), malformed(), queries()].concat()
}

/// Dot segments and encoded separators.
fn ambiguous() -> Vec<Case> {
    let refused = |path: &str| Case::new(path, Request::get(path), Problem(400, "ambiguous_path"));
    let mut cases: Vec<Case> = [
        "/v1/../v1/payments",
        "/v1/./payments",
        "/v1/payments/..",
        "/..",
        "/v1/%2e%2e/v1/payments",
        "/v1/.%2E/v1/payments",
        "/v1/payments/a%5cb",
        "/v1/payments/a%00b",
        "/livez/../v1/payments",
        "/_deliver/../v1/payments",
    ]
    .map(refused)
    .into();
    // An HTTP API decodes the path before it makes an event of it, so the slash is one there.
    cases.push(refused("/v1%2Fpayments").but(&[HTTP_API], Taken(200)));
    cases.push(refused("/v1/payments/a%2fb").but(&[HTTP_API], Problem(404, "not_found")));
    for path in ["//v1/payments", "/v1//payments", "/v1/payments/", "/V1/payments", "/v1/payments;x=1"] {
        cases.push(Case::new(path, Request::get(path), Problem(404, "not_found")));
    }
    let long = Request::get(format!("/v1/{}", "x".repeat(10_000)));
    cases.push(Case::new("a path of 10,000 letters", long, Problem(404, "not_found")));
    let once = Request::get("/v1/payments/pay%255F1");
    cases.push(Case::new("what is encoded twice is decoded once", once, Parameter("id")));
    cases
}

/// Paths that are none.
fn malformed() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/v1/payments/%", "/v1/payments/%2", "/v1/payments/%zz"] {
        let case = Case::new(path, Request::get(path), Problem(400, "invalid_path"));
        // Decoded, a lone percent sign is a character like another.
        cases.push(case.but(&[HTTP_API], Parameter("id")));
    }
    for path in ["/v1/payments/%ff", "/v1/payments/%c3%28", "/v1/payments/%ed%a0%80"] {
        let case = Case::new(path, Request::get(path), Problem(400, "invalid_path"));
        // It puts replacement characters there.
        cases.push(case.but(&[HTTP_API], Parameter("id")));
    }
    for path in ["/v1/payments/{id}", "/v1/payments/a|b", "/v1/payments/a\"b"] {
        cases.push(
            Case::new(path, Request::get(path), Problem(400, "invalid_path"))
                .but(&[HTTP_API], Parameter("id")),
        );
    }
    let raw = Case::new(
        "bytes that are no UTF-8",
        Request::get(b"/v1/payments/\xff"),
        Problem(400, "invalid_path"),
    );
    cases.push(raw.but(&H1, Broken).but(&H2, Broken).but(&[HTTP_API], Parameter("id")));
    let control = Case::new("a control character", Request::get(b"/v1/pay\x01"), Broken);
    cases.push(
        control.but(&FUNCTION, Problem(400, "invalid_path")).but(&[HTTP_API], Problem(404, "not_found")),
    );
    let no_slash = Case::new("no slash", Request::get("v1/payments"), Problem(400, "invalid_path"));
    cases.push(no_slash.but(&H1, Broken).but(&H2, Broken));
    cases
}

/// Parameters.
fn queries() -> Vec<Case> {
    let query = |query: &str| Request::get(format!("/v1/payments?{query}"));
    let mut cases: Vec<Case> = [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1e1", "limit"),
        ("limit=1.0", "limit"),
        ("limit=9223372036854775808", "limit"),
        ("limit=-9223372036854775809", "limit"),
        ("limit=NaN", "limit"),
        ("limit=%31%", "limit"),
        ("limit", "limit"),
        ("tenant=other", "tenant"),
        ("colour=red", "colour"),
        ("cursor=!!!", "cursor"),
        ("cursor=gICA", "cursor"),
        ("cursor=IA", "cursor"),
        ("created_from=yesterday", "created_from"),
        ("created_from=999999999999-01-01T00:00:00Z", "created_from"),
        ("status=%00", "status"),
        ("reference=a%00b", "reference"),
    ]
    .map(|(text, parameter)| Case::new(text, query(text), Parameter(parameter)))
    .into();
    // Without multi-value headers, the balancer hands over the last of each.
    let twice = Case::new("limit=1&limit=1", query("limit=1&limit=1"), Parameter("limit"));
    cases.push(twice.but(&[PLAIN_LOAD_BALANCER], Taken(200)));
    let hidden = Case::new("limit=1&%6Cimit=2", query("limit=1&%6Cimit=2"), Parameter("limit"));
    cases.push(hidden.but(&[PLAIN_LOAD_BALANCER], Parameter("limit")));
    // A REST API decodes the query, and puts replacement characters there.
    let bad = Case::new("reference=%ff", query("reference=%ff"), Problem(400, "invalid_query"));
    cases.push(bad.but(&[REST_API], Taken(200)));
    let long = query(&format!("cursor={}", "A".repeat(2_000)));
    cases.push(Case::new("a cursor of 2,000 characters", long, Parameter("cursor")));
    let named = query(&format!("{}=1", "x".repeat(10_000)));
    cases.push(Case::new("a parameter's name of 10,000 letters", named, Problem(400, "invalid_request")));
    let quoted = Case::new("a query that is not encoded", query("limit=\"1\""), Broken);
    let quoted = quoted.but(&[HTTP_API, FUNCTION_URL], Problem(400, "invalid_query"));
    let quoted = quoted.but(&[LOAD_BALANCER, PLAIN_LOAD_BALANCER], Problem(400, "invalid_query"));
    cases.push(quoted.but(&[REST_API], Parameter("limit")));
    let parts: String = (0..2_000).map(|n| format!("&p{n}=1")).collect();
    cases.push(Case::new("2,000 parameters", query(&parts[1..]), Problem(400, "invalid_request")));
    let in_body = Request { body: b"{\"limit\": 1}".to_vec(), ..Request::get("/v1/payments") };
    let in_body = in_body.header("content-type", "application/json");
    cases.push(Case::new("parameters in the body of a GET", in_body, Problem(400, "invalid_request")));
    let on_change = Request { target: b"/v1/payments?tenant=other".to_vec(), ..Request::pay("{}") };
    cases.push(Case::new("a parameter of a change", on_change, Parameter("tenant")));
    cases
}
