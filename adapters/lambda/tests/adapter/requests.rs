//! What becomes of a request, and what is refused.

use florin_http::target::TargetRefusal;
use florin_lambda::request::Options;
use florin_lambda::{BasePath, Refusal};
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use serde_json::{Value, json};

use crate::{all, request, request_with};

/// The same request through every front.
fn everywhere(request: &HttpRequest) -> Vec<Value> {
    vec![
        request.through_rest_api(),
        request.through_http_api(),
        request.through_http_api_stage("prod"),
        request.through_function_url(),
        request.through_load_balancer(true),
        request.through_load_balancer(false),
    ]
}

/// The path of an event set to this, wherever its front has it.
fn at_path(mut event: Value, path: &str) -> Value {
    let member = if event.get("rawPath").is_some() { "rawPath" } else { "path" };
    event[member] = json!(path);
    event
}

#[test]
fn a_path_that_could_be_read_in_two_ways_is_refused_everywhere() {
    for path in [
        "/a/../b",
        "/a/./b",
        "/..",
        "/.",
        "/a/..",
        "/a/%2e%2e/b",
        "/a/%2E%2e/b",
        "/a/.%2e/b",
        "/a%2Fb",
        "/a%2fb",
        "/a%5Cb",
        "/a%5cb",
        "/a%00b",
        "/a%2e",
    ] {
        for event in everywhere(&HttpRequest::new("GET", "/")) {
            let refusal = request(&at_path(event.clone(), path)).unwrap_err();
            assert_eq!(refusal, TargetRefusal::AmbiguousPath.into(), "{path} in {event}");
        }
    }
}

#[test]
fn a_path_outside_of_the_standard_is_refused_where_the_front_hands_it_over_encoded() {
    let get = HttpRequest::new("GET", "/");
    for path in [
        "a",
        "*",
        "http://example.com/",
        "/a b",
        "/ä",
        "/a\n",
        "/a?b",
        "/a#b",
        "/a\\b",
        "/%",
        "/%zz",
        "/%e",
        "/<x>",
    ] {
        for event in [get.through_rest_api(), get.through_function_url(), get.through_load_balancer(true)] {
            assert_eq!(request(&at_path(event, path)).unwrap_err(), TargetRefusal::Path.into(), "{path}");
        }
    }
}

#[test]
fn an_http_api_decodes_the_path_and_it_is_encoded_again() {
    for (decoded, encoded) in [
        ("/v1/a b", "/v1/a%20b"),
        ("/v1/é", "/v1/%C3%A9"),
        ("/v1/100%", "/v1/100%25"),
        ("/v1/a?b#c", "/v1/a%3Fb%23c"),
        ("/v1/already%20encoded", "/v1/already%20encoded"),
        ("/v1/a\u{0}b\n", "/v1/a%00b%0A"),
    ] {
        let event = at_path(HttpRequest::new("GET", "/").through_http_api(), decoded);
        match request(&event) {
            Ok(request) => assert_eq!(request.uri().path(), encoded),
            Err(refusal) => {
                assert_eq!((refusal, decoded.contains('\u{0}')), (TargetRefusal::AmbiguousPath.into(), true))
            }
        }
    }
}

#[test]
fn the_stage_is_taken_off_where_aws_leaves_it_and_only_there() {
    let at = |path: &str| HttpRequest::new("GET", path);
    let path = |event: Value| request(&event).unwrap().uri().path().to_owned();
    assert_eq!(path(at("/v1/payments").through_http_api_stage("prod")), "/v1/payments");
    assert_eq!(path(at("/").through_http_api_stage("prod")), "/");
    assert_eq!(path(at_path(at("/").through_http_api_stage("prod"), "/prod")), "/");
    assert_eq!(path(at("/prod/x").through_http_api_stage("prod")), "/prod/x");
    assert_eq!(path(at_path(at("/").through_http_api_stage("prod"), "/production/x")), "/production/x");
    // A REST API has taken its stage off already: what looks like one is the path.
    assert_eq!(path(at("/prod/x").through_rest_api()), "/prod/x");
    // A custom domain has no stage in its path.
    let mut custom = at("/").through_http_api_stage("prod");
    custom["requestContext"]["domainName"] = json!("api.example.com");
    assert_eq!(path(at_path(custom, "/prod/x")), "/prod/x");
}

#[test]
fn the_base_path_of_a_custom_domain_is_taken_off_by_whole_segments_and_once() {
    let options = Options { base_path: "/shop".parse().unwrap(), ..Options::default() };
    for (sent, routed) in [
        ("/shop/v1/payments", "/v1/payments"),
        ("/shop", "/"),
        ("/shop/", "/"),
        ("/shop/shop/x", "/shop/x"),
        ("/shopping/x", "/shopping/x"),
        ("/v1/payments", "/v1/payments"),
    ] {
        for event in everywhere(&HttpRequest::new("GET", sent)) {
            assert_eq!(request_with(&event, &options).unwrap().uri().path(), routed, "{sent}");
        }
    }
}

#[test]
fn a_base_path_is_absolute_and_has_no_end_or_is_none() {
    for text in ["shop", "/shop/", "/", "/a/../b", "/a b"] {
        assert!(text.parse::<BasePath>().is_err(), "{text:?} was taken");
    }
    assert!("/shop/eu".parse::<BasePath>().is_ok());
    assert_eq!("".parse::<BasePath>().unwrap(), BasePath::default());
}

#[test]
fn a_host_is_one_host_with_an_optional_port() {
    for host in
        ["", "a b", "http://a", "a/b", "user@a", "a:b", "a:99999", "a:80:80", "[::1", "a?b", "a,b c", "a,b"]
    {
        for mut event in everywhere(&HttpRequest::new("GET", "/")) {
            for headers in ["headers", "multiValueHeaders"] {
                match event.get(headers).and_then(|map| map.get("host")).cloned() {
                    Some(Value::Array(_)) => event[headers]["host"] = json!([host]),
                    Some(_) => event[headers]["host"] = json!(host),
                    None => {}
                }
            }
            assert_eq!(request(&event).unwrap_err(), TargetRefusal::Host.into(), "{host:?} in {event}");
        }
    }
    let twice = HttpRequest::new("GET", "/").header("host", "other.example.com");
    assert_eq!(request(&twice.through_rest_api()).unwrap_err(), TargetRefusal::Host.into());
    for host in ["localhost:3000", "[::1]:8064", "API.example.com"] {
        let mut event = HttpRequest::new("GET", "/").through_http_api();
        event["headers"]["host"] = json!(host);
        assert_eq!(all(&request(&event).unwrap(), "host"), [host]);
    }
}

#[test]
fn a_header_outside_of_the_standard_is_refused_everywhere() {
    for (name, value) in [
        ("x y", "1"),
        ("", "1"),
        ("x:y", "1"),
        ("ü", "1"),
        ("x", "a\r\nset-cookie: b"),
        ("x", "\u{7f}"),
        ("x", "\u{0}"),
    ] {
        for event in everywhere(&HttpRequest::new("GET", "/").header(name, value)) {
            assert_eq!(request(&event).unwrap_err(), Refusal::Header, "{name:?}: {value:?}");
        }
    }
    let mut event = HttpRequest::new("GET", "/").through_http_api();
    event["cookies"] = json!(["a=1\r\nhost: evil"]);
    assert_eq!(request(&event).unwrap_err(), Refusal::Header);
}

#[test]
fn a_header_value_beyond_ascii_is_opaque_as_on_a_socket() {
    for event in everywhere(&HttpRequest::new("GET", "/").header("x-name", "Zoë")) {
        assert_eq!(request(&event).unwrap().headers()["x-name"].as_bytes(), "Zoë".as_bytes());
    }
}

#[test]
fn more_headers_than_a_map_holds_are_refused_and_not_a_panic() {
    let many: serde_json::Map<String, Value> =
        (0..40_000).map(|n| (format!("x-{n}"), json!(["1"]))).collect();
    let mut event = HttpRequest::new("GET", "/").through_rest_api();
    event["multiValueHeaders"] = Value::Object(many);
    assert_eq!(request(&event).err(), Some(Refusal::Header));
}

#[test]
fn a_query_with_what_must_be_encoded_is_refused() {
    for query in ["a b", "a=ä", "a=\n", "a=\"", "a#b", "<", "a=%ff"] {
        for mut event in [
            HttpRequest::new("GET", "/").through_http_api(),
            HttpRequest::new("GET", "/").through_function_url(),
        ] {
            event["rawQueryString"] = json!(query);
            assert_eq!(request(&event).unwrap_err(), TargetRefusal::Query.into(), "{query:?}");
        }
        let mut event = HttpRequest::new("GET", "/").through_load_balancer(true);
        event["multiValueQueryStringParameters"] = json!({ "q": [query] });
        assert_eq!(request(&event).unwrap_err(), TargetRefusal::Query.into(), "{query:?}");
    }
    let mut event = HttpRequest::new("GET", "/").through_load_balancer(false);
    event["queryStringParameters"] = json!({ "limit": "1&tenant=other" });
    assert_eq!(request(&event).unwrap_err(), TargetRefusal::Query.into());
}

#[test]
fn a_decoded_query_cannot_smuggle_a_parameter() {
    let event = HttpRequest::new("GET", "/").query("q", "1&tenant=other#x y").through_rest_api();
    assert_eq!(request(&event).unwrap().uri().query(), Some("q=1%26tenant%3Dother%23x%20y"));
}

#[test]
fn a_method_is_a_token() {
    for method in ["", "GE T", "GET\n", "GÉT"] {
        for event in everywhere(&HttpRequest::new(method, "/")) {
            assert_eq!(request(&event).unwrap_err(), Refusal::Method, "{method:?}");
        }
    }
}

#[test]
fn a_body_over_the_limit_is_refused_however_it_came() {
    let options = Options { max_body_bytes: 10, ..Options::default() };
    let with = |body: &[u8]| everywhere(&HttpRequest::new("POST", "/").body("text/plain", body));
    for event in with(&[0xff; 11]).into_iter().chain(with(b"eleven byte")) {
        let refusal = request_with(&event, &options).unwrap_err();
        assert_eq!(refusal, Refusal::TooLarge, "{event}");
        assert_eq!(refusal.answer("trace").status(), 413);
    }
    for event in with(&[0xff; 10]).into_iter().skip(4).chain(with(b"ten bytes!")) {
        assert_eq!(request_with(&event, &options).unwrap().body().len(), 10, "{event}");
    }
}

#[test]
fn an_event_whose_members_have_other_types_is_refused_and_not_a_panic() {
    let mut wrong = Vec::new();
    for event in everywhere(&HttpRequest::new("GET", "/").query("a", "b")) {
        for member in
            ["path", "rawPath", "headers", "multiValueHeaders", "body", "isBase64Encoded", "rawQueryString"]
        {
            if event.get(member).is_some() {
                let mut event = event.clone();
                event[member] = json!(7);
                wrong.push(event);
            }
        }
    }
    for event in wrong {
        assert_eq!(request(&event).unwrap_err(), Refusal::Event, "{event}");
    }
}

#[test]
fn a_refusal_is_a_problem_that_repeats_nothing_of_what_was_sent() {
    let event = HttpRequest::new("GET", "/").header("x y", "<script>").through_http_api();
    let response = request(&event).unwrap_err().answer("0af7651916cd43dd8448eb211c80319c");
    assert_eq!(response.status(), 400);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(problem["code"], "invalid_header");
    assert_eq!(problem["status"], 400);
    assert_eq!(problem["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert!(!problem.to_string().contains("script"));
}

#[test]
fn headers_of_the_hop_end_at_the_front_and_the_length_is_that_of_the_body() {
    let sent = HttpRequest::new("POST", "/")
        .header("connection", "keep-alive")
        .header("keep-alive", "timeout=5")
        .header("transfer-encoding", "chunked")
        .header("upgrade", "h2c")
        .body("application/octet-stream", [0xff, 0xfe, 0]);
    for event in everywhere(&sent) {
        let request = request(&event).unwrap();
        let mut names: Vec<&str> = request.headers().keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-length", "content-type", "host"]);
        assert_eq!(all(&request, "content-length"), ["3"]);
    }
}

#[test]
fn what_a_release_asks_a_version_is_whether_it_is_ready() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.github/deploy/lambda");
    let script = std::fs::read_to_string(script).unwrap();
    let question = script.lines().find_map(|line| line.strip_prefix("question='")?.strip_suffix('\''));
    let asked = request(&serde_json::from_str(question.unwrap()).unwrap()).unwrap();
    assert_eq!((asked.method().as_str(), asked.uri().path()), ("GET", "/readyz"));
}
