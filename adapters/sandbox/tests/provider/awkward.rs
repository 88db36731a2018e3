//! The awkward payment methods: an answer that never comes, one that comes late, and an early failure.

use std::time::{Duration, Instant};

use florin_kernel::db::{DbConfig, Wall};
use florin_sandbox::SandboxConfig;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::provider::{PATIENCE, Provider, a_charge, cut, numbered, read, with_status};

/// Longer than any test waits.
const FOR_EVER: Duration = Duration::from_secs(3_600);

/// Sends a charge with the key `k`, and leaves the answer on the socket.
async fn request_by_hand(provider: &Provider, body: &Value) -> TcpStream {
    let (host, body) = (provider.base.strip_prefix("http://").unwrap(), body.to_string());
    let mut socket = TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST /v1/charges HTTP/1.1\r\nHost: {host}\r\nIdempotency-Key: k\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    socket
}

#[tokio::test]
async fn a_charge_whose_answer_was_lost_is_made_once() {
    let provider = Provider::start().await;
    let body = a_charge("order", "pm_card_timeout_after_charge", true);
    let lost = provider.post("/v1/charges", "k", &body).send().await;
    assert!(cut(&lost), "{lost:?}");
    assert_eq!(provider.records("order").await["captures"], 1);
    let again = provider.send("/v1/charges", "k", body).await;
    assert_eq!((again.done()["status"].as_str(), again.replayed), (Some("succeeded"), true));
    let records = provider.records("order").await;
    assert_eq!((&records["charges"], &records["captures"]), (&json!(1), &json!(1)), "{records}");
    assert_eq!(records["requests"][0]["requests"], 2, "{records}");
    provider.stop().await;
}

#[tokio::test]
async fn a_lost_answer_is_a_closed_connection_without_a_single_byte() {
    let provider = Provider::start().await;
    let body = a_charge("order", "pm_card_timeout_after_charge", true);
    let mut socket = request_by_hand(&provider, &body).await;
    let mut answer = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), "");
    assert_eq!(provider.records("order").await["captures"], 1);
    provider.stop().await;
}

#[tokio::test]
async fn a_held_connection_holds_up_nobody_and_ends_with_the_server() {
    let provider = Provider::with(SandboxConfig { hold: FOR_EVER, ..SandboxConfig::default() }).await;
    let bodies: Vec<_> = numbered("held", 20)
        .into_iter()
        .map(|key| (a_charge(&key, "pm_card_timeout_after_charge", true), key))
        .collect();
    let held: Vec<_> = bodies
        .iter()
        .map(|(body, key)| tokio::spawn(provider.post("/v1/charges", key, body).send()))
        .collect();
    for (_, key) in &bodies {
        provider.until_recorded(key, "captures").await;
    }
    let others =
        provider.parallel("/v1/charges", numbered("k", 50), &a_charge("other", "pm_card_visa", true)).await;
    assert_eq!(with_status(&others, 200), 50);
    for (body, key) in bodies {
        assert_eq!(provider.send("/v1/charges", &key, body).await.done()["status"], "succeeded");
    }
    assert!(held.iter().all(|request| !request.is_finished()));
    provider.stop().await;
    for request in held {
        let lost = request.await.unwrap();
        assert!(cut(&lost), "{lost:?}");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_before_it_is_charged_is_charged_all_the_same() {
    let provider = Provider::start().await;
    let other = DbConfig::new(provider.address(), "sandbox").connect().await.unwrap();
    let lock = other.begin(Wall::System).await.unwrap();
    drop(request_by_hand(&provider, &a_charge("order", "pm_card_visa", true)).await);
    provider.get("/v1/records/summary").await.done();
    lock.rollback().await.unwrap();
    provider.until_recorded("order", "captures").await;
    provider.stop().await;
}

#[tokio::test]
async fn an_error_before_the_charge_charges_nothing_and_its_repeat_charges_once() {
    let provider = Provider::start().await;
    let error = provider.charge("k", "pm_card_error_before_charge", true).await;
    assert_eq!(error.refusal(), (503, "provider_unavailable".into()));
    let records = provider.records("k").await;
    assert_eq!((&records["charges"], &records["captures"]), (&json!(0), &json!(0)), "{records}");
    assert_eq!(records["requests"][0]["requests"], 1, "{records}");
    let charged = provider.charge("k", "pm_card_error_before_charge", true).await;
    assert_eq!((charged.done()["status"].as_str(), charged.replayed), (Some("succeeded"), false));
    let replayed = provider.charge("k", "pm_card_error_before_charge", true).await;
    assert_eq!((replayed.text, replayed.replayed), (charged.text, true));
    let records = provider.records("k").await;
    assert_eq!((&records["charges"], &records["captures"]), (&json!(1), &json!(1)), "{records}");
    assert_eq!(records["requests"][0]["requests"], 3, "{records}");
    provider.stop().await;
}

#[tokio::test]
async fn of_fifty_parallel_requests_one_meets_the_error_and_the_rest_are_one_charge() {
    let provider = Provider::start().await;
    let body = a_charge("order", "pm_card_error_before_charge", true);
    let answers = provider.parallel("/v1/charges", vec!["k".into(); 50], &body).await;
    assert_eq!((with_status(&answers, 200), with_status(&answers, 503)), (49, 1));
    assert_eq!(provider.records("order").await["captures"], 1);
    provider.stop().await;
}

#[tokio::test]
async fn a_slow_answer_comes_late_and_its_repeat_at_once() {
    let slow = Duration::from_millis(150);
    let provider = Provider::with(SandboxConfig { slow, ..SandboxConfig::default() }).await;
    let began = Instant::now();
    let first = provider.charge("k", "pm_card_slow", true).await;
    assert!(began.elapsed() >= slow, "answered after {:?}", began.elapsed());
    assert_eq!(provider.charge("k", "pm_card_slow", true).await.text, first.text);
    assert_eq!(provider.records("k").await["captures"], 1);
    provider.stop().await;
}

#[tokio::test]
async fn a_slow_answer_is_given_before_the_server_ends() {
    let provider = Provider::with(SandboxConfig { slow: FOR_EVER, ..SandboxConfig::default() }).await;
    let body = a_charge("order", "pm_card_slow", false);
    let late = tokio::spawn(read(provider.post("/v1/charges", "k", &body)));
    provider.until_recorded("order", "charges").await;
    provider.stop().await;
    assert_eq!(late.await.unwrap().done()["status"], "authorized");
}
