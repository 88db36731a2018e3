//! The listener that Prometheus reads: whoever reaches it can neither end the process nor fill it, and customers do
//! not notice.

use std::net::SocketAddr;

use florin_conformance::client::Client;
use florin_conformance::server::Server;
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, Site};
use florin_servers::free_port;
use florin_testkit::suite::Engine;
use serde_json::json;

use crate::frames::{DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame, literal};
use crate::h1::Wire;
use crate::stage::kilobytes;

/// How many connections say nothing. A test that opens more meets the usual limit of 1,024 files.
const IDLE: usize = 700;
/// What they may hold, in kilobytes: buffers of 24 kB for each.
const HELD: u64 = 24 * 1024;

/// A process whose metrics have a listener of their own.
struct Scraped {
    site: Site,
    florin: Server,
    at: SocketAddr,
    _sink: Sink,
}

impl Scraped {
    async fn start() -> Self {
        let sink = Sink::keeping().await;
        let broker = Broker::Http(sink.base().to_owned());
        let mut site = Site::new(Engine::Sqlite, &broker).await.expect("SQLite is always there");
        let at = SocketAddr::from(([127, 0, 0, 1], free_port()));
        site.set("FLORIN_METRICS_LISTEN", at.to_string());
        let florin = site.serve().await;
        Self { site, florin, at, _sink: sink }
    }

    /// Asserts that metrics are read and payments made, and that nothing panicked so far.
    async fn lives(&mut self) {
        let metrics = Client::new(&format!("http://{}", self.at), None);
        let shown = metrics.get("/metrics").await.expect(200);
        assert!(String::from_utf8_lossy(&shown.bytes).contains("florin_outbox_depth"), "{shown:?}");
        let body = json!({ "amount": 100, "currency": "EUR" });
        self.site.client(&self.florin, "acme").post("/v1/payments", body).await.expect(201);
        let process = self.florin.process();
        assert!(process.is_running());
        let log = process.log();
        assert!(!log.contains("panicked"), "{log}");
    }

    fn resident(&mut self) -> u64 {
        kilobytes(self.florin.process().id(), "VmRSS:")
    }
}

/// Whether this is the end, or a bare refusal before it.
fn is_refusal(rest: &[u8]) -> bool {
    rest.is_empty()
        || [&b"HTTP/1.1 400"[..], b"HTTP/1.1 431", b"HTTP/1.1 408"].iter().any(|head| rest.starts_with(head))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_slow_or_too_large_or_none_ends_its_connection() {
    let mut scraped = Scraped::start().await;
    scraped.lives().await;
    let before = scraped.resident();
    let get = "GET /metrics HTTP/1.1\r\nhost: florin.test\r\n";
    // Together, since each is waited for as long as a head may take.
    let slow = ["", "G", "GET /metrics HTTP/1.1\r\nhost: flo", get, "PRI * HTTP/2.0\r\n\r\n"];
    let slow = slow.map(|part| async move {
        let mut wire = Wire::to(scraped.at).await;
        let rest = wire.say(part).await.rest().await;
        assert!(is_refusal(&rest), "{part:?}: {}", String::from_utf8_lossy(&rest));
    });
    futures_util::future::join_all(slow).await;
    for (what, bytes) in [
        ("a field of 8 MB", format!("{get}x: {}\r\n\r\n", "x".repeat(8 << 20)).into_bytes()),
        ("100,000 fields", format!("{get}{}\r\n", "x: x\r\n".repeat(100_000)).into_bytes()),
        ("a target of 1 MB", format!("GET /{} HTTP/1.1\r\n\r\n", "m".repeat(1 << 20)).into_bytes()),
        ("a line without an end", vec![b'x'; 8 << 20]),
        ("noise", vec![0xff; 1 << 20]),
        ("nothing but zeros", vec![0; 1 << 20]),
        ("a hello of TLS", [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 500]].concat()),
        ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        ("frames that are none", [PREFACE, &[0xff; 64]].concat()),
        (
            "data before a head",
            [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(DATA, END_STREAM, 1, b"x")].concat(),
        ),
    ] {
        let mut wire = Wire::to(scraped.at).await;
        let rest = wire.say(bytes).await.half_close().await.rest().await;
        let is_http2 = what.starts_with("frames") || what.starts_with("data");
        assert!(is_refusal(&rest) || is_http2, "{what}: {}", String::from_utf8_lossy(&rest));
    }
    // A head over HTTP/2 that goes on and on.
    let mut wire = Wire::to(scraped.at).await;
    wire.say([PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
    let block =
        [literal(b":method", b"GET"), literal(b":scheme", b"http"), literal(b":path", b"/metrics")].concat();
    wire.say(frame(HEADERS, END_STREAM, 1, &block)).await;
    let padding = literal(b"x-padding", &[b'x'; 10_000]);
    for _ in 0..800 {
        wire.say(frame(crate::frames::CONTINUATION, 0, 1, &padding)).await;
    }
    wire.say(frame(crate::frames::CONTINUATION, END_HEADERS, 1, &padding))
        .await
        .half_close()
        .await
        .rest()
        .await;
    let after = scraped.resident();
    assert!(after <= before + HELD, "from {before} kB to {after} kB");
    scraped.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_metrics_is_there() {
    let mut scraped = Scraped::start().await;
    let metrics = Client::new(&format!("http://{}", scraped.at), Some(scraped.site.token("acme")));
    for path in [
        "/",
        "/v1/payments",
        "/metrics/",
        "/metrics/../v1/payments",
        "/_deliver/audit.record_event",
        "/livez",
    ] {
        let reply = metrics.get(path).await;
        assert!([400, 404].contains(&reply.status), "{path}: {reply:?}");
    }
    metrics.post("/metrics", json!({})).await.expect(405);
    scraped.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_keep_nobody_out_and_are_ended() {
    let mut scraped = Scraped::start().await;
    scraped.lives().await;
    let before = scraped.resident();
    let mut idle = Vec::new();
    for number in 0..IDLE {
        let mut wire = Wire::to(scraped.at).await;
        // A few have begun.
        if number % 7 == 0 {
            wire.say("GET /metrics HTTP/1.1\r\n").await;
        }
        idle.push(wire);
    }
    scraped.lives().await;
    let held = scraped.resident();
    assert!(held <= before + HELD, "from {before} kB to {held} kB with {IDLE} connections");
    for mut wire in idle {
        assert!(is_refusal(&wire.rest().await));
    }
    println!("from {before} kB to {held} kB with {IDLE} connections");
    scraped.lives().await;
}
