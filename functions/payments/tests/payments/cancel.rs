//! Canceling: nothing is owed afterwards, and what was reserved is free again.

use florin_testkit::suite::{Fault, Suite, on_each_database};
use serde_json::json;

use crate::shop::{
    SERVICES, act, assert_problem, at_provider, authorized, created, payment, refund, stands,
    waiting_for_customer,
};

const REFUSED: Fault = Fault::Says(409, r#"{"error": {"code": "charge_state_conflict"}}"#);

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_nobody_tried_to_take_is_canceled_without_asking_the_provider() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for more in [json!({}), json!({ "payment_method": "pm_card_visa" })] {
            let id = created(&shop, more).await;
            let reply = act(&shop, &id, "cancel", json!({ "reason": "out of stock" })).await;
            assert_eq!((reply.status, &reply.body["status"]), (200, &json!("canceled")));
            assert_eq!(reply.body, payment(&shop, &id).await);
        }
        assert!(suite.peers.seen().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn canceling_releases_at_the_provider_what_is_authorized_or_waits_for_the_customer() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let reserved = authorized(&shop).await;
        let (waiting, page) = waiting_for_customer(&shop, json!({})).await;
        for id in [&reserved, &waiting] {
            let reply = act(&shop, id, "cancel", json!({})).await;
            assert_eq!((reply.status, &reply.body["status"]), (200, &json!("canceled")));
            assert_eq!(reply.body["next_action"], json!(null));
            assert_eq!(stands(&shop, id).await, ("canceled".to_owned(), 0, 0, 0));
            assert_eq!(at_provider(&suite, id).await, (1, 0, 0, 1));
        }
        // The page has nothing left to approve.
        let back = suite.authenticate(&page, "approve").await;
        suite.stranger().get(back.strip_prefix("http://florin.test").unwrap()).await;
        assert_eq!(stands(&shop, &waiting).await, ("canceled".to_owned(), 0, 0, 0));
        assert_eq!(at_provider(&suite, &waiting).await.1, 0, "a canceled payment was taken");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_captured_before_a_cancel_stays_received_and_can_be_refunded() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        act(&shop, &id, "capture", json!({ "amount": 300, "final": false })).await;
        assert_eq!(act(&shop, &id, "cancel", json!({})).await.status, 200);
        assert_eq!(stands(&shop, &id).await, ("canceled".to_owned(), 0, 300, 0));
        assert_problem(&refund(&shop, &id, json!({ "amount": 301 })).await, 409, "refund_exceeds_remaining");
        assert_eq!(refund(&shop, &id, json!({})).await.body["amount"], 300);
        assert_eq!(at_provider(&suite, &id).await, (1, 1, 1, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_the_provider_refuses_is_a_402_and_a_later_one_answers_for_itself() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        suite.peers.fail_next(&[REFUSED]);
        let reply = act(&shop, &id, "cancel", json!({})).await;
        assert_problem(&reply, 402, "cancel_failed");
        assert_eq!(reply.body["payment"], payment(&shop, &id).await);
        assert_eq!(stands(&shop, &id).await.0, "requires_capture");
        let again = act(&shop, &id, "cancel", json!({})).await;
        assert_eq!((again.status, &again.body["status"]), (200, &json!("canceled")), "{again:?}");
        assert_eq!(again.body["last_error"], json!(null));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_approves_before_the_cancel_arrives_has_paid() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, page) = waiting_for_customer(&shop, json!({})).await;
        suite.authenticate(&page, "approve").await;
        let reply = act(&shop, &id, "cancel", json!({})).await;
        assert_problem(&reply, 402, "cancel_failed");
        // The provider took the money: it is not lost from sight, whoever comes back or does not.
        suite.advance(std::time::Duration::from_secs(60));
        suite.sweep().await;
        assert_eq!(stands(&shop, &id).await, ("succeeded".to_owned(), 0, 1_000, 0));
        assert_eq!(payment(&shop, &id).await["last_error"], json!(null));
        assert_eq!(at_provider(&suite, &id).await, (1, 1, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_short_text() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({})).await;
        for reason in [json!(""), json!("x".repeat(256)), json!(7), json!("a\u{7}b")] {
            let reply = act(&shop, &id, "cancel", json!({ "reason": reason })).await;
            assert_problem(&reply, 400, "invalid_request");
        }
        assert_eq!(stands(&shop, &id).await.0, "requires_payment_method");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_payment_was_canceled_can_be_read_and_is_told() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for id in [created(&shop, json!({})).await, authorized(&shop).await] {
            assert_eq!(payment(&shop, &id).await["cancel_reason"], json!(null));
            let canceled = act(&shop, &id, "cancel", json!({ "reason": "out of stock" })).await.body;
            assert_eq!(canceled["cancel_reason"], "out of stock");
            let told = suite.published().await;
            let told = told.iter().rfind(|e| e.kind == "florin.payment.canceled.v1").expect("an event");
            assert_eq!(told.json().unwrap()["payment"], canceled);
        }
        let kept = authorized(&shop).await;
        suite.peers.fail_next(&[REFUSED]);
        act(&shop, &kept, "cancel", json!({ "reason": "out of stock" })).await;
        assert_eq!(payment(&shop, &kept).await["cancel_reason"], json!(null), "it is not canceled");
    })
    .await;
}
