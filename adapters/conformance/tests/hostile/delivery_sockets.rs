//! The guarded door's sockets: deliveries that come slowly, half, in two framings, without an end, or wide.

use crate::delivery::{event, records, ways, why};
use crate::frames::{DATA, END_STREAM, HEADERS, frame};
use crate::framing::{SMUGGLED, chunked, ends, say_of};
use crate::h2;
use crate::request::Request;
use crate::stage::Stage;
use crate::way::{self, Way};

/// What the door takes at once, a batch and more than one event of any kind, in bytes.
const BATCH: usize = 4 << 20;

/// The text of an event.
fn text() -> String {
    String::from_utf8(event("").body).expect("text")
}

/// How many records the container's database holds, and Knative's.
async fn recorded(stage: &Stage) -> [usize; 2] {
    [records(stage, Way::ContainerH1).await, records(stage, Way::KnativeH1).await]
}

#[tokio::test(flavor = "multi_thread")]
async fn two_framings_are_one_delivery_and_the_last_of_their_connection() {
    let mut stage = Stage::start().await;
    let body = format!("{}{SMUGGLED}", chunked(&text()));
    for way in way::H1 {
        for lines in [
            &["content-length: 5", "transfer-encoding: chunked"][..],
            &["transfer-encoding: chunked", "content-length: 5"],
            &["transfer-encoding: chunked", "content-length: 5", "content-length: 6"],
        ] {
            let mut wire = say_of(&stage, way, &event(""), lines, &body).await;
            // RFC 9112, section 6.1: answered by its chunks, or refused; closed in either case.
            let heard = wire.hear().await.expect("an answer");
            assert!([202, 400].contains(&heard.status), "{way:?} {lines:?}: {heard:?}");
            ends(wire, &format!("{way:?} {lines:?}")).await;
        }
    }
    for records in recorded(&stage).await {
        assert!(records <= 1, "one event was recorded {records} times");
    }
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_framing_that_two_readers_read_differently_delivers_nothing() {
    let mut stage = Stage::start().await;
    let body = text();
    let length = body.len();
    for way in way::H1 {
        for line in [
            format!("content-length: {length}, {length}"),
            format!("content-length: {length}\r\ncontent-length: 1"),
            format!("content-length: {length} 1"),
            "content-length:".to_owned(),
            "transfer-encoding: chunked, gzip".to_owned(),
            "transfer-encoding: xchunked".to_owned(),
            "transfer-encoding : chunked".to_owned(),
            " folded: line".to_owned(),
        ] {
            let mut wire = say_of(&stage, way, &event(""), &[&line], format!("{body}{SMUGGLED}")).await;
            if let Some(heard) = wire.hear().await {
                assert_eq!(heard.status, 400, "{way:?} {line}: {heard:?}");
            }
            ends(wire, &line).await;
        }
        for chunk in ["ffffffffffffffff0\r\nx", "-1\r\nx", "zz\r\nx", "1\r\nxy\r\n0\r\n\r\n"] {
            let framed = &["transfer-encoding: chunked"];
            let mut wire = say_of(&stage, way, &event(""), framed, format!("{chunk}{SMUGGLED}")).await;
            if let Some(heard) = wire.hear().await {
                assert_eq!(heard.status, 400, "{way:?} {chunk:?}: {heard:?}");
            }
            ends(wire, chunk).await;
        }
    }
    assert_eq!(recorded(&stage).await, [0, 0]);
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_does_not_arrive_in_time_is_a_408_and_none() {
    let mut stage = Stage::with(&[("FLORIN_ARRIVAL_MS", "300")]).await;
    let body = text();
    let length = format!("content-length: {}", body.len());
    let chunk = format!("a\r\n{}", &body[..10]);
    for way in way::H1 {
        for (line, part) in [(length.as_str(), &body[..10]), ("transfer-encoding: chunked", &chunk)] {
            let mut wire = say_of(&stage, way, &event(""), &[line], part).await;
            let heard = wire.hear().await.expect("an answer");
            assert_eq!((heard.status, heard.code()), (408, "request_too_slow"), "{way:?} {line}: {heard:?}");
            ends(wire, line).await;
        }
    }
    for way in way::H2 {
        let mut wire = h2::begin(stage.address(way)).await;
        wire.say(h2::opened(1, &event(""), &stage.token)).await;
        wire.say(frame(DATA, 0, 1, &body.as_bytes()[..10])).await;
        let heard = h2::hear(&mut wire, 1).await.expect("an answer");
        assert_eq!((heard.status, heard.code()), (408, "request_too_slow"), "{way:?}: {heard:?}");
    }
    assert_eq!(recorded(&stage).await, [0, 0]);
    // A broker brings it again.
    assert_eq!(stage.told_of_unread(), [0, 0]);
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_delivery_is_none_and_a_whole_one_is_recorded_once_when_it_comes_again() {
    let mut stage = Stage::start().await;
    let body = text();
    let length = format!("content-length: {}", body.len());
    for way in way::H1 {
        for (what, line, part) in [
            ("half a body", length.as_str(), &body[..10]),
            ("no body", &length, ""),
            ("half a chunk", "transfer-encoding: chunked", "22\r\n{\"specversion\""),
            ("no last chunk", "transfer-encoding: chunked", "2\r\n{}\r\n"),
        ] {
            let mut wire = say_of(&stage, way, &event(""), &[line], part).await;
            if let Some(heard) = wire.half_close().await.hear().await {
                assert_eq!(
                    (heard.status, heard.code()),
                    (400, "invalid_request"),
                    "{way:?} {what}: {heard:?}"
                );
            }
            ends(wire, what).await;
        }
    }
    for way in way::H2 {
        for part in [&body.as_bytes()[..10], body.as_bytes(), b""] {
            let mut wire = h2::begin(stage.address(way)).await;
            wire.say(h2::opened(1, &event(""), &stage.token)).await;
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
    assert_eq!(recorded(&stage).await, [0, 0]);
    assert_eq!(stage.told_of_unread(), [0, 0]);
    // Whoever closes behind a whole one may not hear that it was taken, and delivers again.
    for way in way::H1 {
        let mut wire = say_of(&stage, way, &event(""), &[&length], &body).await;
        if let Some(heard) = wire.half_close().await.hear().await {
            assert_eq!(heard.status, 202, "{way:?}: {heard:?}");
        }
    }
    for way in way::H2 {
        let mut wire = h2::begin(stage.address(way)).await;
        wire.say(h2::opened(1, &event(""), &stage.token)).await;
        wire.say(frame(DATA, END_STREAM, 1, body.as_bytes())).await.half_close().await;
        if let Some(heard) = h2::hear(&mut wire, 1).await {
            assert_eq!(heard.status, 202, "{way:?}: {heard:?}");
        }
    }
    for way in ways() {
        assert_eq!(stage.send(way, &event("")).await.expect("an answer").status, 202, "{way:?}");
    }
    assert_eq!(recorded(&stage).await, [1, 1]);
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_does_not_end_is_cut_off_at_the_limit() {
    let mut stage = Stage::start().await;
    for way in way::H1 {
        let mut wire = say_of(&stage, way, &event(""), &["transfer-encoding: chunked"], "").await;
        // Many times the limit, and more than both sides' buffers hold.
        for _ in 0..16 * BATCH / 0x10000 {
            wire.say(format!("10000\r\n{}\r\n", "x".repeat(0x10000))).await;
        }
        if let Some(heard) = wire.hear().await {
            assert_eq!((heard.status, heard.code()), (413, "body_too_large"), "{way:?}");
        }
    }
    for way in way::H2 {
        let (sent, heard) = h2::pour(stage.address(way), &event(""), &stage.token, 16 * BATCH).await;
        let heard = heard.unwrap_or_else(|| panic!("{way:?}: no answer after {sent} bytes"));
        assert_eq!((heard.status, heard.code()), (413, "body_too_large"), "{way:?}: {sent} bytes");
        assert!(sent > BATCH, "{way:?}: refused after {sent} bytes");
        // A stranger's is not read at all: only what its windows let through is sent.
        let stranger = event("").anonymous();
        let (sent, heard) = h2::pour(stage.address(way), &stranger, &stage.token, 16 * BATCH).await;
        let heard = heard.unwrap_or_else(|| panic!("{way:?}: no answer after {sent} bytes"));
        assert_eq!((heard.status, heard.code()), (401, "unauthenticated"), "{way:?}: {sent} bytes");
        assert!(sent < BATCH, "{way:?}: {sent} bytes of a stranger");
    }
    assert_eq!(recorded(&stage).await, [0, 0]);
    // Nobody brings it again, and whoever watches has to hear of it; of strangers there is nothing to hear.
    assert_eq!(stage.told_of_unread(), [2, 2]);
    stage.lives().await;
}

/// What dozens of events of wide data may take, one after the other, in kilobytes. A tree of a megabyte of numbers is
/// 36 MB, there are up to three of it at a time (the event, the room's copy and its data), and the allocator keeps some of
/// it for each thread. Up to two thirds of this was seen; were one tree of each event kept, it would be over 400 MB.
const WIDE: u64 = 320 * 1024;

/// Data of nearly a megabyte in as many pieces as that can have.
pub(crate) fn wide() -> [(&'static str, String); 4] {
    let members: Vec<String> = (0..80_000).map(|number| format!("\"{number}\":0")).collect();
    [
        ("an object", format!("{{{}}}", members.join(","))),
        ("a list of numbers", format!("[{}0]", "0,".repeat(500_000))),
        ("a list of texts", format!("[{}0]", "\"\",".repeat(300_000))),
        ("a list of lists", format!("[{}0]", "[],".repeat(300_000))),
    ]
}

/// Sends each kind of wide data on every way.
async fn round(stage: &Stage, number: usize) {
    for way in ways() {
        for (what, data) in wide() {
            let body = text().replacen("evt-1", &format!("evt-{number}-{what}"), 1);
            let body = format!("{}, \"data\": {data}}}", body.trim_end_matches('}'));
            let request = Request { body: body.into_bytes(), ..event("") };
            let heard = stage.send(way, &request).await.expect("an answer");
            assert_eq!(heard.status, 202, "{way:?}: {what}: {heard:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wide_data_is_data_and_takes_a_bounded_memory() {
    let mut stage = Stage::start().await;
    stage.lives().await;
    let before = stage.resident_kilobytes();
    stage.forget_peaks();
    for number in 0..3 {
        round(&stage, number).await;
    }
    let peak = stage.peak_kilobytes();
    for (before, peak) in before.into_iter().zip(peak).take(2) {
        assert!(peak <= before + WIDE, "from {before} kB to {peak} kB");
    }
    println!("container and Knative went from {before:?} kB to at most {peak:?}");
    assert_eq!(recorded(&stage).await, [12, 12]);
    let twice = event(&format!(", \"data\": {}", wide()[0].1.replacen("\"79999\"", "\"0\"", 1)));
    for way in ways() {
        let heard = stage.send(way, &twice).await.expect("an answer");
        assert_eq!(why(&heard), (400, "invalid_request", "data_key_repeated"), "{way:?}");
    }
    stage.lives().await;
}
