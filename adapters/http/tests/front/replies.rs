//! What every answer carries, whatever it says.

use std::time::Duration;

use florin_http::app::Limits;

use crate::front::{self, Wanted};

#[tokio::test]
async fn no_answer_is_kept_or_sniffed() {
    let limits = Limits { body_bytes: 100, ..Limits::default() };
    let front = front::start_with(Wanted { limits, ..Wanted::default() }).await;
    let reader = front.suite.client_with("anna", "reader", &["books:read"]);
    let mut answers = vec![
        front.put(r#"{"title": "emma"}"#, &[]).await,
        front.put("x".repeat(101), &[]).await,
        front.put("{}", &["authorization: Bearer x"]).await,
    ];
    for (first, status) in [
        ("GET /v1/books", 200),
        ("HEAD /v1/books", 200),
        ("GET /livez", 200),
        ("GET /readyz", 200),
        ("GET /v1/books?colour=red", 400),
        ("GET /v1/../v1/books", 400),
        ("GET /nothing", 404),
        ("DELETE /v1/books", 405),
        ("DELETE /livez", 405),
        ("OPTIONS /v1/books", 405),
        ("GET /v1/books/panic", 500),
    ] {
        let answer = front.ask(first, &[]).await;
        assert_eq!(answer.status, status, "{first}: {answer:?}");
        answers.push(answer);
    }
    // A front of its own: on a busy machine the others would be too slow for its limit too.
    let limits = Limits { room: Duration::from_millis(100), ..Limits::default() };
    let hurried = front::start_with(Wanted { limits, ..Wanted::default() }).await;
    answers.push(hurried.ask("GET /v1/books/endless", &[]).await);
    front.app.set_ready(false);
    answers.push(front.ask("GET /readyz", &[]).await);
    let mut wire = front.wire().await;
    let token = reader.token().unwrap();
    wire.say(format!("POST /v1/books HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n")).await;
    answers.push(wire.hear().await.unwrap());
    let seen: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(seen, [201, 413, 401, 200, 200, 200, 200, 400, 400, 404, 405, 405, 405, 500, 503, 503, 403]);
    for answer in answers {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
        assert!(answer.header("x-request-id").is_some_and(|id| id.len() == 32), "{answer:?}");
        if answer.status >= 400 && answer.body.get("code").is_some() {
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
            assert_eq!(answer.body["status"], answer.status);
            assert_eq!(answer.body["trace_id"].as_str(), answer.header("x-request-id"), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_401_and_a_403_say_how_to_come_in() {
    let front = front::start().await;
    let mut wire = front.wire().await;
    wire.say("GET /v1/books HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let stranger = wire.hear().await.unwrap();
    assert_eq!(stranger.no(), (401, "token_missing"));
    assert_eq!(stranger.header("www-authenticate"), Some("Bearer realm=\"florin\""));
    let reader = front.suite.client_with("anna", "reader", &["books:read"]);
    let token = reader.token().unwrap();
    wire.say(format!("POST /v1/books HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n")).await;
    let reader = wire.hear().await.unwrap();
    assert_eq!(reader.no(), (403, "forbidden"));
    assert_eq!(
        reader.header("www-authenticate"),
        Some("Bearer realm=\"florin\", error=\"insufficient_scope\", scope=\"books:write\"")
    );
    assert_eq!(reader.body["scope"], "books:write", "which scope would do");
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let front = front::start().await;
    front.put(r#"{"title": "emma"}"#, &[]).await;
    for path in ["/v1/books", "/v1/books/emma", "/livez", "/readyz"] {
        let mut wire = front.wire().await;
        wire.say(format!("{}\r\n", front.head(&format!("HEAD {path}"), &[]))).await;
        let head = wire.hear_head().await.unwrap();
        // On the same connection: a body that was sent after all would be taken for the next answer.
        wire.say(format!("{}\r\n", front.head(&format!("GET {path}"), &[]))).await;
        let get = wire.hear().await.unwrap();
        for name in ["content-type", "content-length", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
        assert_eq!((head.status, get.status), (200, 200), "{path}");
    }
    let mut wire = front.wire().await;
    wire.say("HEAD /v1/books HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(wire.hear_head().await.unwrap().status, 401);
}

#[tokio::test]
async fn another_method_is_told_which_ones_there_are() {
    let front = front::start().await;
    for (first, allow) in [
        ("OPTIONS /v1/books", "GET,HEAD,POST"),
        ("DELETE /v1/books", "GET,HEAD,POST"),
        ("PATCH /v1/books/emma", "GET,HEAD"),
        ("POST /livez", "GET,HEAD"),
        ("BREW /v1/books", "GET,HEAD,POST"),
    ] {
        let answer = front.ask(first, &[]).await;
        assert_eq!(answer.no(), (405, "method_not_allowed"), "{first}");
        let mut allowed: Vec<&str> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(","), allow, "{first}");
    }
}

#[tokio::test]
async fn a_panic_in_a_room_is_a_500_and_its_connection_lives() {
    let front = front::start().await;
    let mut wire = front.wire().await;
    for path in ["/v1/books/panic", "/v1/books/fault", "/v1/books/panic"] {
        wire.say(format!("{}\r\n", front.head(&format!("GET {path}"), &[]))).await;
        let answer = wire.hear().await.unwrap();
        assert_eq!(answer.no(), (500, "internal"), "{path}");
        assert!(!format!("{answer:?}").contains("pa55word"), "{answer:?}");
        wire.say(format!("{}\r\n", front.head("GET /v1/books/emma", &[]))).await;
        assert_eq!(wire.hear().await.unwrap().status, 200);
    }
}
