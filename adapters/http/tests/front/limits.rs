//! Limits of size, time and number: a clear no or the end of the connection, and the process lives.

use std::time::Duration;

use florin_http::app::Limits;
use florin_http::server::Sockets;

use crate::front::{self, Wanted};
use crate::shelf::FULL;

fn small() -> Wanted {
    Wanted { limits: Limits { body_bytes: 1_000, ..Limits::default() }, ..Wanted::default() }
}

/// A book of exactly so many bytes.
fn book(bytes: usize) -> String {
    let around = r#"{"title": ""}"#.len();
    format!("{{\"title\": \"{}\"}}", "x".repeat(bytes - around))
}

fn chunked(body: &str, chunk: usize) -> String {
    let mut said = String::new();
    for piece in body.as_bytes().chunks(chunk) {
        said.push_str(&format!("{:x}\r\n{}\r\n", piece.len(), String::from_utf8_lossy(piece)));
    }
    said + "0\r\n\r\n"
}

#[tokio::test]
async fn a_body_at_the_limit_is_taken_and_one_byte_more_is_not() {
    let front = front::start_with(small()).await;
    for (bytes, status, code) in
        [(1_000, 201, ""), (1_001, 413, "body_too_large"), (200_000, 413, "body_too_large")]
    {
        let declared = front.put(book(bytes), &[]).await;
        assert_eq!(declared.no(), (status, code), "{bytes} declared");
        let mut wire = front.wire().await;
        let head = front.head("POST /v1/books", &["transfer-encoding: chunked"]);
        wire.say(format!("{head}\r\n{}", chunked(&book(bytes), 100))).await;
        let streamed = wire.hear().await.unwrap();
        assert_eq!(streamed.no(), (status, code), "{bytes} in chunks");
        if status == 413 {
            assert_eq!(streamed.body["limit_bytes"], 1_000);
            assert_eq!(declared.body["limit_bytes"], 1_000);
        }
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let front = front::start_with(small()).await;
    let mut wire = front.wire().await;
    wire.say(format!("{}\r\n", front.head("POST /v1/books", &["transfer-encoding: chunked"]))).await;
    // Far more than both sides' buffers hold: saying it would not end if the other side kept listening.
    for _ in 0..2_000 {
        wire.say(format!("10000\r\n{}\r\n", "x".repeat(0x10000))).await;
    }
    if let Some(answer) = wire.hear().await {
        assert_eq!(answer.no(), (413, "body_too_large"));
    }
    wire.rest().await;
    front.lives().await;
}

#[tokio::test]
async fn a_stranger_is_not_asked_for_the_body() {
    let front = front::start().await;
    let mut wire = front.wire().await;
    let first = "POST /v1/books HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 10\r\n\r\n";
    assert_eq!(wire.say(first).await.hear().await.unwrap().no(), (401, "token_missing"));
    let mut wire = front.wire().await;
    let body = book(50);
    let lines = ["expect: 100-continue", "content-length: 50"];
    wire.say(format!("{}\r\n", front.head("POST /v1/books", &lines))).await;
    assert_eq!(wire.hear().await.unwrap().status, 100);
    assert_eq!(wire.say(body).await.hear().await.unwrap().status, 201);
}

#[tokio::test]
async fn a_length_that_lies_changes_nothing() {
    let front = front::start().await;
    let body = book(50);
    // More is promised than comes.
    let mut wire = front.wire().await;
    wire.say(format!("{}\r\n{body}", front.head("POST /v1/books", &["content-length: 60"]))).await;
    if let Some(answer) = wire.half_close().await.hear().await {
        assert_eq!(answer.no(), (400, "invalid_request"));
    }
    let mut wire = front.wire().await;
    let lines = ["transfer-encoding: chunked"];
    wire.say(format!("{}\r\n32\r\n{body}\r\n", front.head("POST /v1/books", &lines))).await;
    if let Some(answer) = wire.half_close().await.hear().await {
        assert_eq!(answer.no(), (400, "invalid_request"));
    }
    // Less: the rest is no request of anybody's.
    let mut wire = front.wire().await;
    wire.say(format!("{}\r\n{body}", front.head("POST /v1/books", &["content-length: 40"]))).await;
    assert_eq!(wire.hear().await.unwrap().no(), (400, "invalid_request"));
    if let Some(rest) = wire.hear().await {
        assert_eq!(rest.status, 400);
    }
    wire.ends().await;
    assert_eq!(front.ask("GET /v1/books", &[]).await.body.as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn a_length_that_two_readers_read_differently_is_refused() {
    let front = front::start().await;
    let body = book(50);
    for lines in [
        &["content-length: 50", "content-length: 49"][..],
        &["content-length: 50, 49"],
        &["content-length: +50"],
        &["content-length: 0x32"],
        &["content-length: 5 0"],
        &["content-length: -1"],
        &["content-length:"],
        &["content-length: 50.0"],
        &["content-length: 99999999999999999999999999"],
        &["content-length: 18446744073709551615"],
        &["transfer-encoding: gzip"],
        &["transfer-encoding: chunked, gzip"],
        &["transfer-encoding: xchunked"],
    ] {
        let mut wire = front.wire().await;
        wire.say(format!("{}\r\n{body}", front.head("POST /v1/books", lines))).await;
        let answer = wire.hear().await.unwrap_or_else(|| panic!("no answer to {lines:?}"));
        assert!([400, 413, 431, 501].contains(&answer.status), "{lines:?}: {answer:?}");
        wire.rest().await;
    }
    for chunk in ["ffffffffffffffff0\r\nx", "-1\r\nx", "zz\r\nx", "1\r\nxy\r\n0\r\n\r\n"] {
        let mut wire = front.wire().await;
        let head = front.head("POST /v1/books", &["transfer-encoding: chunked"]);
        wire.say(format!("{head}\r\n{chunk}")).await;
        if let Some(answer) = wire.hear().await {
            assert_eq!(answer.status, 400, "{chunk:?}");
        }
        wire.rest().await;
    }
    assert_eq!(front.ask("GET /v1/books", &[]).await.body.as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn a_request_with_two_framings_is_the_last_of_its_connection() {
    let front = front::start().await;
    let mut wire = front.wire().await;
    let lines = ["content-length: 5", "transfer-encoding: chunked"];
    let smuggled = "GET /v1/books/smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
    wire.say(format!("{}\r\n0\r\n\r\n{smuggled}", front.head("POST /v1/books", &lines))).await;
    // RFC 9112, section 6.1: refused, or answered by its chunks and closed.
    let answer = wire.hear().await.unwrap();
    assert_eq!(answer.status, 400, "{answer:?}");
    wire.ends().await;
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_a_408() {
    let limits = Limits { arrival: Duration::from_millis(100), ..Limits::default() };
    let front = front::start_with(Wanted { limits, ..Wanted::default() }).await;
    for (line, part) in
        [("content-length: 50", "{\"title\""), ("transfer-encoding: chunked", "8\r\n{\"title\"")]
    {
        let mut wire = front.wire().await;
        wire.say(format!("{}\r\n{part}", front.head("POST /v1/books", &[line]))).await;
        let answer = wire.hear().await.unwrap();
        assert_eq!(answer.no(), (408, "request_too_slow"), "{line}");
        assert!(answer.body["detail"].as_str().unwrap().contains("100 ms"), "{answer:?}");
        wire.ends().await;
    }
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let front = front::start().await;
    let large = format!("x-large: {}", "x".repeat(100_000));
    let many: Vec<String> = (0..200).map(|n| format!("x-{n}: 1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for lines in [&[large.as_str()][..], &many] {
        let mut wire = front.wire().await;
        wire.say(format!("{}\r\n", front.head("GET /v1/books", lines))).await;
        assert_eq!(wire.hear().await.unwrap().status, 431);
        wire.ends().await;
    }
    let mut wire = front.wire().await;
    wire.say(format!("{}\r\n", front.head(&format!("GET /{}", "x".repeat(100_000)), &[]))).await;
    assert!([414, 431].contains(&wire.hear().await.unwrap().status));
    // As much as a large token and its company take.
    let usual = format!("x-usual: {}", "x".repeat(16_000));
    assert_eq!(front.ask("GET /v1/books", &[&usual]).await.status, 200);
}

#[tokio::test]
async fn a_room_that_takes_too_long_is_stopped_and_may_be_asked_again() {
    let limits = Limits { room: Duration::from_millis(100), ..Limits::default() };
    let front = front::start_with(Wanted { limits, ..Wanted::default() }).await;
    let answer = front.ask("GET /v1/books/endless", &[]).await;
    assert_eq!((answer.no(), answer.header("retry-after")), ((503, "unavailable"), Some("1")));
}

#[tokio::test]
async fn a_full_house_is_said_at_once_and_empties() {
    let limits = Limits { concurrency: 2, ..Limits::default() };
    let front = front::start_with(Wanted { limits, ..Wanted::default() }).await;
    let mut inside = Vec::new();
    for _ in 0..2 {
        let mut wire = front.wire().await;
        wire.say(format!("{}\r\n", front.head(&format!("GET {}", FULL.path()), &[]))).await;
        FULL.entered().await;
        inside.push(wire);
    }
    for first in ["GET /v1/books", "POST /v1/books", "GET /v1/windows/anna"] {
        let answer = front.ask(first, &[]).await;
        assert_eq!(answer.no(), (503, "unavailable"), "{first}");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    front.lives().await;
    assert_eq!(front.ask("GET /readyz", &[]).await.status, 200, "probes do not queue behind customers");
    FULL.open(2);
    for mut wire in inside {
        assert_eq!(wire.hear().await.unwrap().status, 200);
    }
    assert_eq!(front.ask("GET /v1/books", &[]).await.status, 200);
}

#[tokio::test]
async fn a_limit_of_more_than_there_can_be_is_as_good_as_none() {
    let limits = Limits { concurrency: usize::MAX, ..Limits::default() };
    let sockets = Sockets { connections: usize::MAX, ..Sockets::default() };
    let front = front::start_with(Wanted { limits, sockets, ..Wanted::default() }).await;
    assert_eq!(front.ask("GET /v1/books", &[]).await.status, 200);
}
