//! Bodies on sockets: two framings, lengths that lie, bodies that do not end or do not come, and half-closed ends.

use std::net::SocketAddr;

use crate::frames::{DATA, END_STREAM, HEADERS, frame};
use crate::h1::{Heard, Wire, head};
use crate::request::Request;
use crate::stage::{BODY_LIMIT, Stage};
use crate::way::{self, Way};
use crate::{h1, h2};

const PAYMENT: &str = r#"{"amount": 100, "currency": "EUR"}"#;
/// What somebody would like to be a request of the next customer's.
pub(crate) const SMUGGLED: &str = "GET /v1/smuggled HTTP/1.1\r\nhost: florin.test\r\n\r\n";

pub(crate) fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

/// The first bytes of a POST with these lines and this body, on a connection of its own.
async fn say(stage: &Stage, way: Way, lines: &[&str], body: impl AsRef<[u8]>) -> Wire {
    say_of(stage, way, &Request::pay(""), lines, body).await
}

/// The first bytes of this request with these lines and this body, on a connection of its own.
pub(crate) async fn say_of(
    stage: &Stage,
    way: Way,
    request: &Request,
    lines: &[&str],
    body: impl AsRef<[u8]>,
) -> Wire {
    let mut bytes = head(request, &stage.token);
    bytes.extend(lines.iter().flat_map(|line| [line, "\r\n"].concat().into_bytes()));
    bytes.extend(b"\r\n");
    bytes.extend(body.as_ref());
    let mut wire = Wire::to(stage.address(way)).await;
    wire.say(bytes).await;
    wire
}

/// Asserts that nothing comes any more.
pub(crate) async fn ends(mut wire: Wire, what: &str) {
    let rest = wire.rest().await;
    assert!(rest.is_empty(), "{what}: {}", String::from_utf8_lossy(&rest));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_framings_are_one_request_and_the_last_of_their_connection() {
    let mut stage = Stage::start().await;
    let body = format!("{}{SMUGGLED}", chunked(PAYMENT));
    for way in way::H1 {
        for lines in [
            &["content-length: 5", "transfer-encoding: chunked"][..],
            &["transfer-encoding: chunked", "content-length: 5"],
            &["transfer-encoding: chunked", "content-length: 5", "content-length: 6"],
        ] {
            let mut wire = say(&stage, way, lines, &body).await;
            // RFC 9112, section 6.1: answered by its chunks, or refused; closed in either case.
            let heard = wire.hear().await.expect("an answer");
            assert!([201, 400].contains(&heard.status), "{way:?} {lines:?}: {heard:?}");
            ends(wire, &format!("{way:?} {lines:?}")).await;
        }
    }
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_framing_that_two_readers_read_differently_is_refused_and_nothing_is_smuggled() {
    let mut stage = Stage::start().await;
    let length = PAYMENT.len();
    let lines = [
        format!("content-length: {length}, {length}"),
        format!("content-length: {length}\r\ncontent-length: 1"),
        format!("content-length: {length} 1"),
        "content-length:".to_owned(),
        "transfer-encoding: chunked, gzip".to_owned(),
        "transfer-encoding: xchunked".to_owned(),
        "transfer-encoding : chunked".to_owned(),
        "transfer-encoding: chunked\r\ntransfer-encoding: identity".to_owned(),
        " folded: line".to_owned(),
    ];
    for way in way::H1 {
        for line in &lines {
            let mut wire = say(&stage, way, &[line], format!("{PAYMENT}{SMUGGLED}")).await;
            if let Some(heard) = wire.hear().await {
                assert_eq!(heard.status, 400, "{way:?} {line}: {heard:?}");
            }
            ends(wire, line).await;
        }
        for chunk in [
            "ffffffffffffffff0\r\nx",
            "-1\r\nx",
            "zz\r\nx",
            "1\r\nxy\r\n0\r\n\r\n",
            "1;a\nb\r\nx\r\n0\r\n\r\n",
        ] {
            let mut wire =
                say(&stage, way, &["transfer-encoding: chunked"], format!("{chunk}{SMUGGLED}")).await;
            if let Some(heard) = wire.hear().await {
                assert_eq!(heard.status, 400, "{way:?} {chunk:?}: {heard:?}");
            }
            ends(wire, chunk).await;
        }
    }
    assert_eq!(stage.payments().await, [0, 0]);
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_end_is_cut_off_at_the_limit() {
    let mut stage = Stage::start().await;
    for way in way::H1 {
        let mut wire = say(&stage, way, &["transfer-encoding: chunked"], "").await;
        // A thousand times the limit, and more than both sides' buffers hold.
        for _ in 0..BODY_LIMIT / 64 {
            wire.say(format!("10000\r\n{}\r\n", "x".repeat(0x10000))).await;
        }
        if let Some(heard) = wire.hear().await {
            assert_eq!((heard.status, heard.code()), (413, "body_too_large"), "{way:?}");
        }
    }
    for way in way::H2 {
        let request = Request::pay(vec![b'x'; 60 * BODY_LIMIT]);
        let heard = h2::send(stage.address(way), &request, &stage.token).await.expect("an answer");
        assert_eq!((heard.status, heard.code()), (413, "body_too_large"), "{way:?}");
    }
    stage.lives().await;
}

/// A stream whose body begins and does not go on.
async fn half_a_body_over_h2(address: SocketAddr, stage: &Stage) -> Option<Heard> {
    let mut wire = h2::begin(address).await;
    wire.say(h2::opened(1, &Request::pay(PAYMENT), &stage.token)).await;
    wire.say(frame(DATA, 0, 1, &PAYMENT.as_bytes()[..10])).await;
    h2::hear(&mut wire, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_arrive_in_time_is_a_408() {
    let mut stage = Stage::with(&[("FLORIN_ARRIVAL_MS", "300")]).await;
    let length = format!("content-length: {}", PAYMENT.len());
    for way in way::H1 {
        for (line, part) in
            [(length.as_str(), &PAYMENT[..10]), ("transfer-encoding: chunked", "a\r\n{\"amount\"")]
        {
            let mut wire = say(&stage, way, &[line], part).await;
            let heard = wire.hear().await.expect("an answer");
            assert_eq!((heard.status, heard.code()), (408, "request_too_slow"), "{way:?} {line}: {heard:?}");
            ends(wire, line).await;
        }
    }
    for way in way::H2 {
        let heard = half_a_body_over_h2(stage.address(way), &stage).await.expect("an answer");
        assert_eq!((heard.status, heard.code()), (408, "request_too_slow"), "{way:?}: {heard:?}");
    }
    assert_eq!(stage.payments().await, [0, 0]);
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_send_slowly_keep_nobody_out() {
    let mut stage = Stage::with(&[("FLORIN_CONCURRENCY", "4")]).await;
    let id = "01a20c4981047b05ab49de913dc43ad3";
    let public = Request::get(format!("/v1/returns/acme/pay_{id}/att_{id}")).anonymous();
    let mut slow = Vec::new();
    for way in way::H1 {
        for lines in ["content-length: 100", "transfer-encoding: chunked"].repeat(4) {
            let mut wire = Wire::to(stage.address(way)).await;
            let bytes = [head(&public, ""), format!("{lines}\r\n\r\n").into_bytes()].concat();
            let heard = wire.say(bytes).await.hear().await.expect("an answer before the body");
            assert_eq!((heard.status, heard.code()), (400, "invalid_request"), "{way:?} {lines}: {heard:?}");
            slow.push(wire);
        }
    }
    for way in way::H2 {
        let mut wire = h2::begin(stage.address(way)).await;
        // With a body that is not sent, the streams stay open.
        let open = Request { body: b"{}".to_vec(), ..public.clone() };
        wire.say((0..8).flat_map(|number| h2::opened(2 * number + 1, &open, "")).collect::<Vec<u8>>()).await;
        let heard = h2::hear(&mut wire, 15).await.expect("an answer before the body");
        assert_eq!((heard.status, heard.code()), (400, "invalid_request"), "{way:?}: {heard:?}");
        slow.push(wire);
    }
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_closes_the_writing_half_is_taken_for_gone_and_is_served_once_when_it_comes_again() {
    let mut stage = Stage::start().await;
    let length = format!("content-length: {}", PAYMENT.len());
    for way in way::H1 {
        // It may have been done or not, as for every client that does not hear its answer.
        let mut whole = say(&stage, way, &["idempotency-key: half-1", &length], PAYMENT).await;
        if let Some(heard) = whole.half_close().await.hear().await {
            assert_eq!(heard.status, 201, "{way:?}: {heard:?}");
        }
        let again = stage.send(way, &Request::pay(PAYMENT).header("idempotency-key", "half-1")).await;
        assert_eq!(again.expect("an answer").status, 201, "{way:?}");
        for (what, lines, part) in [
            ("half a body", &[length.as_str()][..], &PAYMENT[..10]),
            ("no body", &[length.as_str()], ""),
            ("half a chunk", &["transfer-encoding: chunked"], "22\r\n{\"amount\""),
            ("no last chunk", &["transfer-encoding: chunked"], "2\r\n{}\r\n"),
        ] {
            let mut wire = say(&stage, way, lines, part).await;
            if let Some(heard) = wire.half_close().await.hear().await {
                assert_eq!(
                    (heard.status, heard.code()),
                    (400, "invalid_request"),
                    "{way:?} {what}: {heard:?}"
                );
            }
            ends(wire, what).await;
        }
        for part in ["", "GET /v1/pay", "GET /v1/payments HTTP/1.1\r\nhost: florin"] {
            let mut wire = Wire::to(stage.address(way)).await;
            wire.say(part).await.half_close().await;
            let rest = wire.rest().await;
            assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 400"), "{way:?} {part:?}: {rest:?}");
        }
    }
    for way in way::H2 {
        for part in [&PAYMENT.as_bytes()[..10], PAYMENT.as_bytes(), b""] {
            let mut wire = h2::begin(stage.address(way)).await;
            wire.say(h2::opened(1, &Request::pay(PAYMENT), &stage.token)).await;
            wire.say(frame(DATA, 0, 1, part)).await.half_close().await;
            // Without the flag of its end a body is none, though all of its bytes are there.
            if let Some(heard) = h2::hear(&mut wire, 1).await {
                assert_eq!((heard.status, heard.code()), (400, "invalid_request"), "{way:?}: {heard:?}");
            }
            while let Some(frame) = h2::next(&mut wire).await {
                assert!(![HEADERS, DATA].contains(&frame.kind), "{way:?}: an answer behind the end");
            }
        }
    }
    assert_eq!(stage.payments().await, [1, 1]);
    // A whole request is taken for one whose client has gone or is answered, and may be done once.
    for way in way::H2 {
        let mut wire = h2::begin(stage.address(way)).await;
        let keyed = Request::pay(PAYMENT).header("idempotency-key", "half-2");
        wire.say(h2::opened(1, &keyed, &stage.token)).await;
        wire.say(frame(DATA, END_STREAM, 1, PAYMENT.as_bytes())).await.half_close().await;
        if let Some(heard) = h2::hear(&mut wire, 1).await {
            assert_eq!(heard.status, 201, "{way:?}: {heard:?}");
        }
        assert_eq!(stage.send(way, &keyed).await.expect("an answer").status, 201, "{way:?}");
    }
    assert_eq!(stage.payments().await, [2, 2]);
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_on_a_connection_leaves_the_next_request_as_it_is() {
    let stage = Stage::start().await;
    for way in way::H1 {
        let mut wire = Wire::to(stage.address(way)).await;
        for (target, status) in
            [("/v1/../x", 400), ("/v1/payments?limit=0", 400), ("/v1/payments?limit=1", 200)]
        {
            let mut bytes = h1::head(&Request::get(target), &stage.token);
            bytes.extend(b"\r\n");
            assert_eq!(
                wire.say(bytes).await.hear().await.expect("an answer").status,
                status,
                "{way:?} {target}"
            );
        }
    }
}
