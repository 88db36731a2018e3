//! Header fields: what counts, what is echoed, and what nobody is believed.

use crate::front;

#[tokio::test]
async fn two_tokens_are_none() {
    let front = front::start().await;
    for second in [front.bearer(), "authorization: Basic YTpi".to_owned(), "authorization:".to_owned()] {
        let answer = front.ask("GET /v1/books", &[&second]).await;
        assert_eq!(answer.no(), (401, "token_repeated"), "{second}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer realm=\"florin\""));
    }
}

#[tokio::test]
async fn an_idempotency_key_stands_once_in_1_to_255_visible_characters() {
    let front = front::start().await;
    let body = r#"{"title": "emma"}"#;
    let longest = format!("idempotency-key: {}", "k".repeat(255));
    assert_eq!(front.put(body, &[&longest]).await.status, 201);
    let again = front.put(body, &[&longest]).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")));
    let too_long = format!("{longest}k");
    for lines in [
        &["idempotency-key: a", "idempotency-key: a"][..],
        &["idempotency-key: a", "Idempotency-Key: b"],
        &["idempotency-key:"],
        &["idempotency-key:   "],
        &["idempotency-key: schlüssel"],
        &["idempotency-key: a\tb"],
        &[&too_long],
    ] {
        let answer = front.put(body, lines).await;
        assert_eq!(answer.no(), (400, "invalid_request"), "{lines:?}");
        assert!(answer.body["detail"].as_str().unwrap().to_lowercase().contains("idempotency-key"));
    }
    let listed = front.ask("GET /v1/books", &[]).await;
    assert_eq!(listed.body.as_array().unwrap().len(), 1, "what is refused at the door changes nothing");
}

#[tokio::test]
async fn nobody_is_who_a_header_says() {
    let front = front::start().await;
    let claims = [
        "x_auth_tenant: bob",
        "X_AUTH_TENANT: bob",
        "x-auth-tenant: bob",
        "x-tenant-id: bob",
        "x-auth-user: bob",
        "x-forwarded-user: bob",
        "x-amzn-oidc-data: bob",
    ];
    front.put(r#"{"title": "emma"}"#, &claims).await;
    let bob = front.suite.client("bob").get("/v1/books").await;
    assert_eq!(bob.body.as_array().map(Vec::len), Some(0), "{bob:?}");
    let mut wire = front.wire().await;
    let claims = claims.join("\r\n");
    wire.say(format!("GET /v1/books HTTP/1.1\r\nhost: florin.test\r\n{claims}\r\n\r\n")).await;
    assert_eq!(wire.hear().await.unwrap().no(), (401, "token_missing"));
}

#[tokio::test]
async fn the_method_is_the_requests_own() {
    let front = front::start().await;
    let lines = ["x-http-method-override: GET", "x-http-method: GET", "x-method-override: GET"];
    assert_eq!(front.ask("DELETE /v1/books", &lines).await.no(), (405, "method_not_allowed"));
}

#[tokio::test]
async fn a_plain_request_id_is_echoed_on_every_answer() {
    let front = front::start().await;
    for (first, status) in [
        ("GET /v1/books", 200),
        ("GET /livez", 200),
        ("GET /readyz", 200),
        ("GET /v1/books?colour=red", 400),
        ("GET /v1/../v1/books", 400),
        ("GET /nothing", 404),
        ("DELETE /v1/books", 405),
        ("GET /v1/books/fault", 500),
        ("GET /v1/books/panic", 500),
    ] {
        let answer = front.ask(first, &["x-request-id: Order_1001.a:b-c"]).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("x-request-id"), Some("Order_1001.a:b-c"), "{first}");
    }
    let repeated = front.ask("GET /v1/books", &["x-request-id: a1", "x-request-id: b2"]).await;
    assert_eq!(repeated.header("x-request-id"), Some("a1"));
    let two = [front.bearer()];
    let refused = front.ask("GET /v1/books", &["x-request-id: a1", &two[0]]).await;
    assert_eq!((refused.status, refused.header("x-request-id")), (401, Some("a1")));
}

#[tokio::test]
async fn a_request_id_that_is_not_plain_is_replaced_by_the_traces() {
    let front = front::start().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("traceparent: 00-{trace}-00f067aa0ba902b7-01");
    let long = format!("x-request-id: {}", "a".repeat(129));
    for line in [
        "x-request-id:",
        "x-request-id: a b",
        "x-request-id: <script>",
        "x-request-id: größer",
        "x-request-id: a\"b",
        &long,
    ] {
        let answer = front.ask("GET /nothing", &[&parent, line]).await;
        assert_eq!(answer.header("x-request-id"), Some(trace), "{line}");
        assert_eq!(answer.body["trace_id"], trace);
    }
}

#[tokio::test]
async fn a_traceparent_that_is_not_valid_is_replaced() {
    let front = front::start().await;
    for parent in [
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "größer",
        "",
    ] {
        let answer = front.ask("GET /nothing", &[&format!("traceparent: {parent}")]).await;
        let trace = answer.body["trace_id"].as_str().unwrap();
        assert_eq!(trace.len(), 32, "{parent}");
        assert!(trace != "4bf92f3577b34da6a3ce929d0e0e4736" && trace.bytes().any(|b| b != b'0'), "{parent}");
    }
}

#[tokio::test]
async fn a_media_type_is_one_and_its_parameters_are_let_through() {
    let front = front::start().await;
    let body = r#"{"title": "emma"}"#;
    for (lines, status) in [
        (&["content-type: Application/JSON; Charset=UTF-8"][..], 201),
        (&["content-type: application/merge-patch+json"], 201),
        (&["content-type: text/plain"], 415),
        (&["content-type: application/json", "content-type: text/plain"], 415),
        (&["content-type: application/jsonp"], 415),
        (&["content-type: größer"], 415),
        (&["content-type:"], 415),
    ] {
        let mut wire = front.wire().await;
        let length = body.len();
        let head = front.head("POST /v1/books", lines);
        wire.say(format!("{head}content-length: {length}\r\n\r\n{body}")).await;
        assert_eq!(wire.hear().await.unwrap().status, status, "{lines:?}");
    }
}
