//! HTTP/2 without TLS, as Knative speaks it: the same answers, and no harm from frames that mean it.

use std::time::Duration;

use florin_http::app::Limits;
use serde_json::Value;

use crate::front::{self, Front, Wanted};
use crate::shelf::STREAMS;
use crate::wire::Wire;

/// RFC 9113, section 3.4.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A literal of less than 128 bytes that no table keeps (RFC 7541, section 6.2.2).
fn literal(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).ok().filter(|l| *l < 127).unwrap();
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

/// `GET path` as header fields.
fn get(path: &str) -> Vec<u8> {
    let path = [&[0x04, u8::try_from(path.len()).unwrap()], path.as_bytes()].concat();
    [&[0x82, 0x86][..], &path, &literal(":authority", "florin.test")].concat()
}

/// A connection that has said its settings.
pub(crate) async fn begin(front: &Front) -> Wire {
    let mut wire = front.wire().await;
    wire.say([PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
    wire
}

/// The kinds of the frames until one of this kind, or until the end.
async fn until(wire: &mut Wire, wanted: u8) -> Option<Vec<u8>> {
    loop {
        let head = wire.take(9).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let payload = wire.take(usize::try_from(length).unwrap()).await?;
        if head[3] == wanted {
            return Some(payload);
        }
    }
}

/// Answers the other side's pings until it ends the connection, as a client should.
pub(crate) async fn let_go(wire: &mut Wire) {
    while let Some(payload) = until(wire, PING).await {
        wire.say(frame(PING, ACK, 0, &payload)).await;
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().http2_prior_knowledge().timeout(Duration::from_secs(20)).build().unwrap()
}

#[tokio::test]
async fn http_2_gets_the_same_answers() {
    let limits = Limits { body_bytes: 1_000, ..Limits::default() };
    let front = front::start_with(Wanted { limits, ..Wanted::default() }).await;
    let client = client();
    let token = front.suite.client("anna").token().unwrap().to_owned();
    let at = |path: &str| format!("http://{}{path}", front.address);
    let put = |body: String| client.post(at("/v1/books")).bearer_auth(&token).body(body);
    for (request, status, code) in [
        (put(r#"{"title": "emma"}"#.to_owned()), 201, None),
        (put("x".repeat(1_001)), 413, Some("body_too_large")),
        (put("x".repeat(2_000_000)), 413, Some("body_too_large")),
        (client.get(at("/v1/books")), 401, Some("token_missing")),
        (client.get(at("/v1/books/a%2fb")).bearer_auth(&token), 400, Some("ambiguous_path")),
        (client.get(at("/v1/books/panic")).bearer_auth(&token), 500, Some("internal")),
        (client.get(at("/v1/books/emma")).bearer_auth(&token), 200, None),
        (client.delete(at("/v1/books")), 405, Some("method_not_allowed")),
        (client.get(at("/nothing")), 404, Some("not_found")),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.version(), reqwest::Version::HTTP_2);
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.status(), status);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["code"].as_str(), code, "{body}");
    }
}

#[tokio::test]
async fn streams_that_are_reset_hold_no_place() {
    let limits = Limits { concurrency: 4, ..Limits::default() };
    let front = front::start_with(Wanted { limits, ..Wanted::default() }).await;
    let client = client();
    let token = front.suite.client("anna").token().unwrap().to_owned();
    for _ in 0..12 {
        let request = client.get(format!("http://{}{}", front.address, STREAMS.path())).bearer_auth(&token);
        let sent = tokio::spawn(request.send());
        STREAMS.entered().await;
        // What is no longer waited for is reset.
        sent.abort();
        while front.ask("GET /v1/books", &[]).await.status == 503 {
            tokio::task::yield_now().await;
        }
    }
    front.lives().await;
}

#[tokio::test]
async fn rapid_resets_end_their_connection_and_nothing_else() {
    let front = front::start().await;
    let mut wire = begin(&front).await;
    let cancel = 8_u32.to_be_bytes();
    let mut said = Vec::new();
    for number in 0..5_000_u32 {
        let stream = 2 * number + 1;
        said.extend(frame(HEADERS, END_STREAM | END_HEADERS, stream, &get("/v1/books")));
        said.extend(frame(RST_STREAM, 0, stream, &cancel));
    }
    wire.say(said).await;
    let went = until(&mut wire, GOAWAY).await;
    // ENHANCE_YOUR_CALM, where the end did not come first.
    assert!(went.is_none_or(|payload| payload[4..8] == 11_u32.to_be_bytes()));
    front.lives().await;
    assert_eq!(front.ask("GET /v1/books", &[]).await.status, 200);
}

#[tokio::test]
async fn a_head_without_an_end_ends_its_connection() {
    let front = front::start().await;
    let mut wire = begin(&front).await;
    wire.say(frame(HEADERS, END_STREAM, 1, &get("/livez"))).await;
    let padding: Vec<u8> = (0..100).flat_map(|n| literal(&format!("x-{n}"), &"x".repeat(120))).collect();
    for _ in 0..500 {
        wire.say(frame(CONTINUATION, 0, 1, &padding)).await;
    }
    until(&mut wire, GOAWAY).await;
    front.lives().await;
}

#[tokio::test]
async fn frames_that_mean_nothing_end_their_connection() {
    let front = front::start().await;
    for bad in [
        frame(HEADERS, END_STREAM | END_HEADERS, 0, &get("/livez")),
        frame(HEADERS, END_STREAM | END_HEADERS, 2, &get("/livez")),
        frame(HEADERS, END_STREAM | END_HEADERS, 1, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        frame(SETTINGS, 0, 0, &[0, 5, 0]),
        frame(SETTINGS, 0, 7, &[]),
        vec![0xff; 64],
    ] {
        let mut wire = begin(&front).await;
        wire.say(&bad).await;
        assert!(until(&mut wire, GOAWAY).await.is_none_or(|payload| payload[4..8] != [0; 4]), "{bad:?}");
    }
    front.lives().await;
}

#[tokio::test]
async fn dot_segments_are_refused_over_http_2_too() {
    let front = front::start().await;
    let mut wire = begin(&front).await;
    wire.say(frame(HEADERS, END_STREAM | END_HEADERS, 1, &get("/v1/../v1/books"))).await;
    let fields = until(&mut wire, HEADERS).await.unwrap();
    // `:status: 400` stands in the static table (RFC 7541, appendix A).
    assert_eq!(fields[0], 0x80 | 12, "{fields:?}");
}

#[tokio::test]
async fn the_authority_is_one_host_and_a_host_beside_it_is_the_same() {
    let front = front::start().await;
    for (authority, host, wanted) in [
        ("florin.test", "other.test", 400),
        ("anna@florin.test", "anna@florin.test", 400),
        ("florin.test,other.test", "florin.test,other.test", 400),
        ("florin.test", "Florin.Test", 200),
    ] {
        let mut wire = begin(&front).await;
        let head = [
            &[0x82, 0x86, 0x04, 6][..],
            b"/livez",
            &literal(":authority", authority),
            &literal("host", host),
        ]
        .concat();
        wire.say(frame(HEADERS, END_STREAM | END_HEADERS, 1, &head)).await;
        let fields = until(&mut wire, HEADERS).await.unwrap();
        // `:status` 200 and 400 stand in the static table.
        let status = if wanted == 200 { 0x80 | 8 } else { 0x80 | 12 };
        assert_eq!(fields[0], status, "{authority} and {host}: {fields:?}");
    }
}
