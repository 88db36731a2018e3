//! Idempotency: one key, one change, and one answer byte for byte.

use std::time::Duration;

use florin_testkit::suite::{Client, Reply, Suite, on_each_database};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::shop::{SERVICES, act, assert_problem, authorized, created, order, paid, payment};

const CHARGED: &str = r#"{ "payment_method": "pm_card_visa", "confirm": true }"#;

fn with(members: &str) -> Value {
    order(serde_json::from_str(members).expect("members"))
}

/// Asserts that these are the same answer, the second one from memory.
#[track_caller]
fn assert_replays(first: &Reply, again: &Reply) {
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes), "{first:?} {again:?}");
    for name in ["content-type", "location"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_and_request_give_the_same_bytes_and_change_nothing_more() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (ready, other) = (created(&shop, json!({})).await, created(&shop, json!({})).await);
        let (reserved, dropped) = (authorized(&shop).await, authorized(&shop).await);
        let taken = paid(&shop).await;
        let path = |id: &str, verb: &str| format!("/v1/payments/{id}/{verb}");
        let declined = r#"{ "payment_method": "pm_card_declined", "confirm": true }"#;
        let cases = [
            ("created", "/v1/payments".to_owned(), order(json!({})), 201),
            ("created and confirmed", "/v1/payments".to_owned(), with(CHARGED), 201),
            ("created and declined", "/v1/payments".to_owned(), with(declined), 402),
            ("refused", "/v1/payments".to_owned(), with(r#"{ "confirm": true }"#), 422),
            ("declined", path(&other, "confirm"), json!({ "payment_method": "pm_card_expired" }), 402),
            ("confirmed", path(&ready, "confirm"), json!({ "payment_method": "pm_card_visa" }), 200),
            ("captured", path(&reserved, "capture"), json!({ "amount": 10, "final": false }), 200),
            ("capture refused", path(&reserved, "capture"), json!({ "amount": 5_000 }), 409),
            ("canceled", path(&dropped, "cancel"), json!({}), 200),
            ("conflict", path(&taken, "cancel"), json!({}), 409),
            ("refunded", "/v1/refunds".to_owned(), json!({ "payment": taken, "amount": 7 }), 201),
            ("no such payment", path(&format!("pay_{}", "0".repeat(32)), "cancel"), json!({}), 404),
        ];
        for (key, path, body, status) in cases {
            let first = shop.post_once(&path, key, body.clone()).await;
            assert_eq!(
                (first.status, first.header("idempotency-replayed")),
                (status, None),
                "{key}: {first:?}"
            );
            let listed = shop.get("/v1/payments?limit=100").await.bytes;
            let asked = suite.peers.seen().len();
            for _ in 0..2 {
                assert_replays(&first, &shop.post_once(&path, key, body.clone()).await);
            }
            assert_eq!(shop.get("/v1/payments?limit=100").await.bytes, listed, "{key} changed something");
            assert_eq!(suite.peers.seen().len(), asked, "{key} asked the provider again");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_stays_what_it_was_when_the_payment_has_moved_on() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "payment_method": "pm_card_declined" })).await;
        let path = format!("/v1/payments/{id}/confirm");
        let declined = shop.post_once(&path, "first", json!({})).await;
        assert_eq!(declined.status, 402);
        assert_eq!(act(&shop, &id, "confirm", json!({ "payment_method": "pm_card_visa" })).await.status, 200);
        assert_replays(&declined, &shop.post_once(&path, "first", json!({})).await);
        assert_eq!(payment(&shop, &id).await["status"], "succeeded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_used_with_another_body_path_or_route_is_422_and_does_nothing() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (one, two) = (authorized(&shop).await, authorized(&shop).await);
        let path = |id: &str, verb: &str| format!("/v1/payments/{id}/{verb}");
        let first =
            shop.post_once(&path(&one, "capture"), "k", json!({ "amount": 10, "final": false })).await;
        assert_eq!(first.status, 200);
        for (path, body) in [
            (path(&one, "capture"), json!({ "amount": 11, "final": false })),
            (path(&one, "capture"), json!({ "amount": 10 })),
            (path(&two, "capture"), json!({ "amount": 10, "final": false })),
            (path(&one, "cancel"), json!({})),
            ("/v1/refunds".to_owned(), json!({ "payment": one, "amount": 10 })),
            ("/v1/payments".to_owned(), order(json!({}))),
        ] {
            let reply = shop.post_once(&path, "k", body).await;
            assert_problem(&reply, 422, "idempotency_key_reused");
            assert_eq!(reply.header("idempotency-replayed"), None);
        }
        assert_eq!(payment(&shop, &one).await, first.body);
        assert_eq!(payment(&shop, &two).await["status"], "requires_capture");
        let again =
            shop.post_once(&path(&one, "capture"), "k", json!({ "amount": 10, "final": false })).await;
        assert_replays(&first, &again);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_requests_with_one_key_one_acts_and_all_get_its_answer() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for (key, body) in [("plain", order(json!({}))), ("charged", with(CHARGED))] {
            let post = |shop: Client| {
                let body = body.clone();
                tokio::spawn(async move { shop.post_once("/v1/payments", key, body).await })
            };
            let replies = join_all((0..30).map(|_| post(shop.clone()))).await;
            let replies: Vec<Reply> = replies.into_iter().map(Result::unwrap).collect();
            let (replayed, acted): (Vec<_>, Vec<_>) =
                replies.iter().partition(|r| r.header("idempotency-replayed").is_some());
            assert_eq!((acted.len(), replayed.len()), (1, 29), "{key}");
            for reply in replayed {
                assert_replays(acted[0], reply);
            }
        }
        assert_eq!(shop.get("/v1/payments").await.body["data"].as_array().unwrap().len(), 2);
        assert_eq!(suite.peers.seen().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_every_request_acts() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (one, two) = (created(&shop, json!({})).await, created(&shop, json!({})).await);
        assert_ne!(one, two);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_lives_a_day_and_is_then_forgotten_by_the_purge() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let body = with(CHARGED);
        let first = shop.post_once("/v1/payments", "k", body.clone()).await;
        suite.advance(Duration::from_secs(24 * 60 * 60));
        suite.service("payments").tick("payments.purge").await;
        assert_replays(&first, &shop.post_once("/v1/payments", "k", body.clone()).await);
        suite.advance(Duration::from_micros(1));
        suite.service("payments").tick("payments.purge").await;
        let after = shop.post_once("/v1/payments", "k", body).await;
        assert_eq!((after.status, after.header("idempotency-replayed")), (201, None));
        assert_ne!(after.id(), first.id());
    })
    .await;
}
