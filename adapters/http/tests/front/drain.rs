//! How a process goes: not ready first, serving while requests still come, then finishing, then gone.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::front::{self, Front, Wanted};
use crate::shelf::{FLIGHT, PATIENCE};
use crate::streams;

const LINGER: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(20);

async fn gone(front: Front) {
    tokio::time::timeout(LONG, front.served).await.expect("the server returns").unwrap();
}

#[tokio::test]
async fn a_drain_serves_first_finishes_then_and_ends_with_no_connection_left() {
    let front = front::start_with(Wanted { linger: LINGER, ..Wanted::default() }).await;
    let mut idle = front.wire().await;
    let get = format!("{}\r\n", front.head("GET /v1/books", &[]));
    assert_eq!(idle.say(&get).await.hear().await.unwrap().status, 200);
    let mut silent = front.wire().await;
    let mut half_said = front.wire().await;
    half_said.say("GET /v1/bo").await;
    let mut http_2 = streams::begin(&front).await;
    let mut flight = front.wire().await;
    flight.say(format!("{}\r\n", front.head(&format!("GET {}", FLIGHT.path()), &[]))).await;
    FLIGHT.entered().await;

    let began = Instant::now();
    front.app.set_ready(false);
    front.stop.cancel();
    let ready = front.ask("GET /readyz", &[]).await;
    assert_eq!((ready.status, ready.body["status"].as_str()), (503, Some("draining")));
    assert_eq!(front.ask("GET /v1/books", &[]).await.status, 200, "a new connection is served");
    assert_eq!(idle.say(&get).await.hear().await.unwrap().status, 200, "an old one too");
    assert!(!front.served.is_finished());

    // The lingering over, those who wait for nothing are let go, and nobody new comes in.
    idle.ends().await;
    silent.ends().await;
    half_said.rest().await;
    streams::let_go(&mut http_2).await;
    assert!(began.elapsed() >= LINGER, "closed after {:?}", began.elapsed());
    while TcpStream::connect(front.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!front.served.is_finished(), "a request is in flight");
    FLIGHT.open(1);
    let answer = flight.hear().await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    flight.ends().await;
    gone(front).await;
}

#[tokio::test]
async fn a_drain_does_not_wait_for_ever() {
    let patience = Duration::from_millis(100);
    let front = front::start_with(Wanted { patience: Some(patience), ..Wanted::default() }).await;
    let mut flight = front.wire().await;
    flight.say(format!("{}\r\n", front.head(&format!("GET {}", PATIENCE.path()), &[]))).await;
    PATIENCE.entered().await;
    let mut slow = front.wire().await;
    slow.say(format!("{}\r\n{{", front.head("POST /v1/books", &["content-length: 50"]))).await;
    front.stop.cancel();
    gone(front).await;
}

#[tokio::test]
async fn a_drain_without_connections_is_over_at_once() {
    let front = front::start().await;
    front.lives().await;
    front.stop.cancel();
    gone(front).await;
}
