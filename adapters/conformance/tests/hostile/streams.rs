//! HTTP/2 as an attack: resets, floods and bombs end their stream or connection, and nothing else.

use crate::frames::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, frame, literal,
};
use crate::h1::Wire;
use crate::h2;
use crate::request::Request;
use crate::stage::Stage;
use crate::way;

/// ENHANCE_YOUR_CALM (RFC 9113, section 7).
const CALM: u32 = 11;
/// REFUSED_STREAM.
const REFUSED: u32 = 7;

fn list() -> Request {
    Request::get("/v1/payments?limit=1")
}

/// The reason of a frame that ends a stream or connection.
fn reason(frame: &h2::Frame) -> u32 {
    let at = if frame.kind == GOAWAY { 4 } else { 0 };
    let bytes = frame.payload.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    u32::from_be_bytes(bytes.expect("four bytes"))
}

/// Why the connection went away; nothing when it just ended.
async fn went(wire: &mut Wire) -> Option<u32> {
    while let Some(frame) = h2::next(wire).await {
        if frame.kind == GOAWAY && reason(&frame) != 0 {
            return Some(reason(&frame));
        }
        if frame.kind == PING && frame.flags & ACK == 0 {
            wire.say(crate::frames::frame(PING, ACK, 0, &frame.payload)).await;
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn rapid_resets_end_their_connection() {
    let mut stage = Stage::start().await;
    for way in way::H2 {
        let mut wire = h2::begin(stage.address(way)).await;
        let mut said = Vec::new();
        for number in 0..10_000_u32 {
            said.extend(h2::opened(2 * number + 1, &list(), &stage.token));
            said.extend(frame(RST_STREAM, 0, 2 * number + 1, &8_u32.to_be_bytes()));
        }
        wire.say(said).await;
        assert!(went(&mut wire).await.is_none_or(|reason| reason == CALM), "{way:?}");
    }
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_only_so_many_streams_and_more_are_refused() {
    let mut stage = Stage::start().await;
    for way in way::H2 {
        let mut wire = h2::begin(stage.address(way)).await;
        // Each waits for a body that does not come.
        let open = |number: u32| h2::opened(2 * number + 1, &Request::pay("{}"), &stage.token);
        wire.say((0..1_000).flat_map(open).collect::<Vec<u8>>()).await;
        let mut refused = 0;
        while refused < 1_000 - 256 {
            let Some(frame) = h2::next(&mut wire).await else { break };
            refused += usize::from(frame.kind == RST_STREAM && reason(&frame) == REFUSED);
            if frame.kind == GOAWAY {
                assert_eq!(reason(&frame), CALM, "{way:?}");
                break;
            }
        }
        // Others are served while all those are open.
        let heard = h2::send(stage.address(way), &list(), &stage.token).await.expect("an answer");
        assert_eq!(heard.status, 200, "{way:?}");
    }
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_frames_that_say_nothing_end_or_change_nothing() {
    let mut stage = Stage::start().await;
    let floods: [(&str, Vec<u8>, usize); 6] = [
        ("settings", frame(SETTINGS, 0, 0, &[]), 20_000),
        ("pings", frame(PING, 0, 0, &[7; 8]), 20_000),
        ("windows", frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()), 20_000),
        ("empty data", frame(DATA, 0, 1, &[]), 20_000),
        ("priorities", frame(2, 0, 1, &[0, 0, 0, 0, 1]), 20_000),
        ("unknown frames", frame(0xfa, 0, 0, &[0; 64]), 20_000),
    ];
    for way in way::H2 {
        for (what, flood, times) in &floods {
            let mut wire = h2::begin(stage.address(way)).await;
            wire.say(h2::opened(1, &Request::pay("{}"), &stage.token)).await;
            wire.say(flood.repeat(*times)).await.half_close().await;
            wire.rest().await;
            let heard = h2::send(stage.address(way), &list(), &stage.token).await.expect("an answer");
            assert_eq!(heard.status, 200, "{way:?} after {what}");
        }
    }
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_without_an_end_and_a_bomb_in_its_table_are_refused() {
    let mut stage = Stage::start().await;
    for way in way::H2 {
        let mut wire = h2::begin(stage.address(way)).await;
        let start = h2::block(&list(), &stage.token);
        wire.say(frame(HEADERS, END_STREAM, 1, &start)).await;
        let padding = literal(b"x-padding", &[b'x'; 10_000]);
        for _ in 0..1_000 {
            wire.say(frame(CONTINUATION, 0, 1, &padding)).await;
        }
        went(&mut wire).await;

        // 3,000 bytes once in the table (RFC 7541, section 6.2.1), named ten thousand times by one byte each.
        let mut bomb = h2::block(&list(), &stage.token);
        let kept = literal(b"x-bomb", &[b'x'; 3_000]);
        bomb.push(0x40);
        bomb.extend(&kept[1..]);
        bomb.extend([0xbe; 10_000]);
        let mut wire = h2::begin(stage.address(way)).await;
        wire.say(frame(HEADERS, END_STREAM | END_HEADERS, 1, &bomb)).await;
        if let Some(heard) = h2::hear(&mut wire, 1).await {
            assert_eq!(heard.status, 431, "{way:?}: {heard:?}");
        }
    }
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_break_the_rules_end_their_connection() {
    let mut stage = Stage::start().await;
    let open = h2::block(&list(), &stage.token);
    let whole = END_STREAM | END_HEADERS;
    let broken = [
        ("a head on stream 0", frame(HEADERS, whole, 0, &open)),
        ("a head on an even stream", frame(HEADERS, whole, 2, &open)),
        ("a head that is no HPACK", frame(HEADERS, whole, 1, &[0xff; 6])),
        ("data before a head", frame(DATA, END_STREAM, 1, b"{}")),
        ("settings of 3 bytes", frame(SETTINGS, 0, 0, &[0, 5, 0])),
        ("settings on a stream", frame(SETTINGS, 0, 7, &[])),
        ("a ping of 1 byte", frame(PING, 0, 0, &[0])),
        ("a window of nothing", frame(WINDOW_UPDATE, 0, 0, &[0; 4])),
        ("a window beyond 31 bits", frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes())),
        ("a frame longer than allowed", frame(DATA, 0, 1, &[0; 17_000])),
        ("a continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, &open)),
        ("a reset of nothing", frame(RST_STREAM, 0, 99, &8_u32.to_be_bytes())),
        ("noise", vec![0xff; 64]),
    ];
    for way in way::H2 {
        for (what, bytes) in &broken {
            let mut wire = h2::begin(stage.address(way)).await;
            wire.say(bytes).await.half_close().await;
            assert!(went(&mut wire).await.is_none_or(|reason| reason != 0), "{way:?}: {what}");
        }
    }
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_http_2_forbids_is_no_request() {
    let mut stage = Stage::start().await;
    let field = |name: &[u8], value: &[u8]| literal(name, value);
    let pseudo = |path: &[u8]| {
        [
            field(b":method", b"GET"),
            field(b":scheme", b"http"),
            field(b":authority", b"florin.test"),
            field(b":path", path),
        ]
        .concat()
    };
    let good = pseudo(b"/livez");
    let blocks = [
        ("no path", [field(b":method", b"GET"), field(b":scheme", b"http")].concat()),
        ("an empty path", pseudo(b"")),
        ("two paths", [good.clone(), field(b":path", b"/readyz")].concat()),
        ("a pseudo header behind a header", [field(b"x", b"1"), good.clone()].concat()),
        ("an upper-case name", [good.clone(), field(b"X-Upper", b"1")].concat()),
        ("a line break in a name", [good.clone(), field(b"x\r\ny", b"1")].concat()),
        ("a line break in a value", [good.clone(), field(b"x", b"1\r\nhost: other.test")].concat()),
        ("an encoding of the connection", [good, field(b"transfer-encoding", b"chunked")].concat()),
    ];
    for way in way::H2 {
        for (what, block) in &blocks {
            let mut wire = h2::begin(stage.address(way)).await;
            wire.say(frame(HEADERS, END_STREAM | END_HEADERS, 1, block)).await;
            if let Some(heard) = h2::hear(&mut wire, 1).await {
                assert_eq!(heard.status, 400, "{way:?}: {what}: {heard:?}");
            }
        }
    }
    stage.lives().await;
}
