//! JSON that a careless reader would take, and that money must not hang on.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::front;

#[tokio::test]
async fn a_number_that_is_no_64_bit_integer_is_refused_by_its_field() {
    let front = front::start().await;
    for number in [
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "1e400",
        "1.0",
        "1e2",
        "-0.0",
        "\"1\"",
        "null",
        "true",
        "[1]",
    ] {
        let answer = front.put(format!("{{\"title\": \"a\", \"pages\": {number}}}"), &[]).await;
        assert_eq!(answer.no(), (400, "invalid_request"), "{number}");
        assert_eq!(answer.body["errors"][0]["pointer"], "/pages", "{number}: {answer:?}");
    }
    let least = front.put(r#"{"title": "a", "pages": -9223372036854775808}"#, &[]).await;
    assert_eq!(least.status, 201, "{least:?}");
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let front = front::start().await;
    for body in [
        &b"{\"title\": \"a\", \"pages\": NaN}"[..],
        b"{\"title\": \"a\", \"pages\": Infinity}",
        b"{\"title\": \"a\", \"pages\": 01}",
        b"{\"title\": \"a\", \"pages\": 0x10}",
        b"{\"title\": \"a\", \"pages\": +1}",
        b"{\"title\": \"a\", \"pages\": .5}",
        b"{\"title\": \"a\",}",
        b"{'title': 'a'}",
        b"{\"title\": \"a\"} {\"title\": \"b\"}",
        b"{\"title\": \"a\"}\0",
        b"{\"title\": \"\xff\"}",
        b"{\"title\": \"\\ud800\"}",
        b"{\"title\": \"a\nb\"}",
        b"\xef\xbb\xbf{\"title\": \"a\"}",
        b"{\0\"\0t\0",
        b"// a comment\n{\"title\": \"a\"}",
        b"[]",
        b"\"title\"",
        b"null",
        b" ",
    ] {
        let answer = front.put(body, &[]).await;
        assert_eq!(answer.no(), (400, "invalid_request"), "{}", String::from_utf8_lossy(body));
    }
}

#[tokio::test]
async fn json_deeper_than_anybody_needs_is_refused_and_overflows_nothing() {
    let front = front::start().await;
    for levels in [129, 10_000, 100_000] {
        let deep = format!("{{\"title\": {}", "[".repeat(levels));
        assert_eq!(front.put(&deep, &[]).await.no(), (400, "invalid_request"), "{levels} open");
        let closed = format!("{deep}{}}}", "]".repeat(levels));
        assert_eq!(front.put(closed, &[]).await.no(), (400, "invalid_request"), "{levels} closed");
        let objects = format!("{{\"title\": {}", "{\"a\":".repeat(levels.min(40_000)));
        assert_eq!(front.put(objects, &[]).await.no(), (400, "invalid_request"), "{levels} objects");
    }
    front.lives().await;
}

#[tokio::test]
async fn wide_json_costs_no_more_than_its_length() {
    let front = front::start().await;
    let mut unknown = String::from("{\"title\": \"a\"");
    let mut number = 0;
    while unknown.len() < 250_000 {
        write!(unknown, ",\"{number}\":0").unwrap();
        number += 1;
    }
    unknown.push('}');
    let chapters = format!("{{\"title\": \"wide\", \"chapters\": [{}\"\"]}}", "\"\",".repeat(80_000));
    let began = Instant::now();
    let answer = front.put(unknown, &[]).await;
    assert_eq!(answer.no(), (400, "invalid_request"));
    assert!(answer.bytes.len() < 2_000, "a problem is short: {} bytes", answer.bytes.len());
    assert_eq!(front.put(chapters, &[]).await.status, 201);
    // Twenty times what it takes unoptimised; what grows with the square takes minutes.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_very_long_name_that_is_unknown_is_named_and_not_sent_back() {
    let front = front::start().await;
    let long = "x".repeat(200_000);
    for body in [format!(r#"{{"title": "emma", "{long}": 1}}"#), format!(r#"{{"title": ["{long}"]}}"#)] {
        let answer = front.put(body, &[]).await;
        assert_eq!(answer.no(), (400, "invalid_request"));
        assert!(answer.bytes.len() < 4_096, "{} bytes were sent back", answer.bytes.len());
    }
    let answer = front.ask(&format!("GET /v1/books?{}=1", "y".repeat(6_000)), &[]).await;
    assert_eq!(answer.no(), (400, "invalid_request"));
    assert!(answer.bytes.len() < 4_096, "{} bytes were sent back", answer.bytes.len());
}
