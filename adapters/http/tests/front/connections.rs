//! Connections that say nothing, little, or nothing more.

use std::time::Duration;

use florin_http::app::Limits;
use florin_http::server::Sockets;

use crate::front::{self, Front, Wanted};
use crate::shelf::LEAVING;
use crate::streams::PREFACE;
use crate::wire::Wire;

const SHORT: Duration = Duration::from_millis(100);

async fn with(sockets: Sockets) -> Front {
    front::start_with(Wanted { sockets, ..Wanted::default() }).await
}

#[tokio::test]
async fn a_connection_that_brings_no_request_is_closed() {
    let front = with(Sockets { first_request: SHORT, ..Sockets::default() }).await;
    let half_a_head = front.head("GET /v1/books", &["x-slow: 1"]);
    let settings = [PREFACE, &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
    for said in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n", b"G", b"\r\n", half_a_head.as_bytes(), &settings] {
        let mut wire = front.wire().await;
        wire.say(said).await;
        // HTTP/2 says its settings first.
        wire.rest().await;
    }
    front.lives().await;
}

#[tokio::test]
async fn a_connection_may_rest_between_requests_but_not_for_ever() {
    let front = with(Sockets { first_request: SHORT, ..Sockets::default() }).await;
    let mut resting = front.wire().await;
    let get = format!("{}\r\n", front.head("GET /livez", &[]));
    assert_eq!(resting.say(&get).await.hear().await.unwrap().status, 200);
    // Somebody who came later and says nothing is sent away before.
    front.wire().await.ends().await;
    assert_eq!(resting.say(&get).await.hear().await.unwrap().status, 200);

    let front = with(Sockets { idle: SHORT, ..Sockets::default() }).await;
    for said in ["", "GET /livez HTTP/1.1\r\nhost: "] {
        let mut resting = front.wire().await;
        assert_eq!(resting.say(&get).await.hear().await.unwrap().status, 200);
        resting.say(said).await.ends().await;
    }
}

#[tokio::test]
async fn what_is_no_request_is_a_400_or_the_end() {
    let front = front::start().await;
    for said in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET /livez\r\n\r\n",
        b"GET /livez HTTP/9.9\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n: empty\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: a\r\n x: folded\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost : a\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    ] {
        let mut wire = front.wire().await;
        wire.say(said).await.half_close().await;
        if let Some(answer) = wire.hear().await {
            assert_eq!(answer.status, 400, "{}: {answer:?}", String::from_utf8_lossy(said));
        }
        wire.rest().await;
    }
    front.lives().await;
}

#[tokio::test]
async fn a_client_that_closes_its_half_or_goes_holds_no_place() {
    let limits = Limits { concurrency: 1, ..Limits::default() };
    let front = front::start_with(Wanted { limits, ..Wanted::default() }).await;
    let get = format!("{}\r\n", front.head(&format!("GET {}", LEAVING.path()), &[]));
    for half in [true, false] {
        let mut wire = front.wire().await;
        wire.say(&get).await;
        LEAVING.entered().await;
        if half {
            wire.half_close().await;
        } else {
            drop(wire);
        }
        // The place is free as soon as the server has seen it.
        while front.ask("GET /v1/books", &[]).await.status == 503 {
            tokio::task::yield_now().await;
        }
    }
    front.lives().await;
}

#[tokio::test]
async fn hundreds_that_say_nothing_keep_nobody_waiting() {
    let front = front::start().await;
    let mut silent = Vec::new();
    for number in 0..400 {
        let mut wire = front.wire().await;
        match number % 4 {
            0 => {}
            1 => drop(wire.say("GET /v1/bo").await),
            2 => drop(wire.say(PREFACE).await),
            _ => drop(wire.say(front.head("POST /v1/books", &["content-length: 200000", ""])).await),
        }
        silent.push(wire);
    }
    front.lives().await;
    assert_eq!(front.ask("GET /v1/books", &[]).await.status, 200);
}

#[tokio::test]
async fn there_are_only_so_many_connections_and_the_next_waits_for_a_place() {
    let front = with(Sockets { connections: 2, ..Sockets::default() }).await;
    let get = format!("{}\r\n", front.head("GET /livez", &[]));
    let mut first = front.wire().await;
    let mut second = front.wire().await;
    assert_eq!(first.say(&get).await.hear().await.unwrap().status, 200);
    assert_eq!(second.say(&get).await.hear().await.unwrap().status, 200);
    let mut third = front.wire().await;
    third.say(&get).await;
    let answered = tokio::time::timeout(SHORT, third.take(1)).await;
    assert!(answered.is_err(), "a third connection was served: {answered:?}");
    drop(first);
    assert_eq!(third.hear().await.unwrap().status, 200);
    assert_eq!(second.say(&get).await.hear().await.unwrap().status, 200);
}

#[tokio::test]
async fn requests_may_stand_in_line_on_one_connection() {
    let front = front::start().await;
    let mut wire: Wire = front.wire().await;
    let get = |title: &str| format!("{}\r\n", front.head(&format!("GET /v1/books/{title}"), &[]));
    wire.say([get("a"), get("b"), get("panic"), get("c")].concat()).await;
    for (status, title) in [(200, "a"), (200, "b"), (500, "Something went wrong on our side."), (200, "c")] {
        let answer = wire.hear().await.unwrap();
        assert_eq!((answer.status, answer.body["title"].as_str()), (status, Some(title)));
    }
}
