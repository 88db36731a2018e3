//! Confirming: what each payment method leads to.

use std::time::Duration;

use florin_testkit::suite::{Suite, on_each_database};
use serde_json::json;

use crate::shop::{SERVICES, act, asked, assert_problem, at_provider, created, payment, stands};

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_card_is_taken_at_once_or_authorized() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for (method, after, captures) in [
            ("automatic", ("succeeded".to_owned(), 0, 1_000, 0), 1),
            ("manual", ("requires_capture".to_owned(), 1_000, 0, 0), 0),
        ] {
            let id = created(&shop, json!({ "capture_method": method })).await;
            let reply = act(&shop, &id, "confirm", json!({ "payment_method": "pm_card_visa" })).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(reply.body, payment(&shop, &id).await);
            assert_eq!(reply.body["payment_method"], "pm_card_visa");
            assert_eq!(stands(&shop, &id).await, after);
            assert_eq!(at_provider(&suite, &id).await, (1, captures, 0, 0));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_provider_is_waited_for() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "payment_method": "pm_card_slow" })).await;
        let reply = act(&shop, &id, "confirm", json!({})).await;
        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("succeeded")));
        assert_eq!(asked(&suite, &id).await, [1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_is_a_402_with_the_reason_and_the_payment_inside() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for (card, decline_code) in [
            ("pm_card_declined", "generic_decline"),
            ("pm_card_insufficient_funds", "insufficient_funds"),
            ("pm_card_expired", "expired_card"),
            // The provider understood and will not: a method it does not know.
            ("pm_card_of_nobody", "unknown_payment_method"),
        ] {
            let id = created(&shop, json!({ "payment_method": card })).await;
            let reply = act(&shop, &id, "confirm", json!({})).await;
            assert_problem(&reply, 402, "card_declined");
            assert_eq!(reply.body["decline_code"], decline_code);
            assert_eq!(reply.header("location"), None);
            let inside = payment(&shop, &id).await;
            assert_eq!(reply.body["payment"], inside);
            assert_eq!(
                (&inside["status"], &inside["payment_method"]),
                (&json!("requires_payment_method"), &json!(null))
            );
            let error = &inside["last_error"];
            assert_eq!(
                (&error["code"], &error["decline_code"]),
                (&json!("card_declined"), &json!(decline_code))
            );
            assert!(error["message"].as_str().is_some_and(|m| !m.is_empty()));
            assert_eq!(at_provider(&suite, &id).await.1, 0, "{card} was captured");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_decline_another_card_pays_and_the_error_is_gone() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "payment_method": "pm_card_declined" })).await;
        assert_eq!(act(&shop, &id, "confirm", json!({})).await.status, 402);
        let without = act(&shop, &id, "confirm", json!({})).await;
        assert_problem(&without, 422, "payment_method_missing");
        let reply = act(&shop, &id, "confirm", json!({ "payment_method": "pm_card_visa" })).await;
        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("succeeded")));
        assert_eq!(reply.body["last_error"], json!(null));
        // Two attempts under two keys, one of which took money.
        assert_eq!((at_provider(&suite, &id).await, asked(&suite, &id).await), ((2, 1, 0, 0), vec![1, 1]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn confirming_without_a_payment_method_is_422_and_changes_nothing() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({})).await;
        let before = payment(&shop, &id).await;
        assert_problem(&act(&shop, &id, "confirm", json!({})).await, 422, "payment_method_missing");
        assert_eq!(payment(&shop, &id).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirm_may_bring_another_method_and_return_address() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(
            &shop,
            json!({ "payment_method": "pm_card_declined", "return_url": "https://shop.example/old" }),
        )
        .await;
        let body = json!({ "payment_method": "pm_card_visa", "return_url": "https://shop.example/new" });
        let reply = act(&shop, &id, "confirm", body).await;
        assert_eq!((reply.status, &reply.body["return_url"]), (200, &json!("https://shop.example/new")));
        assert_eq!(reply.body["payment_method"], "pm_card_visa");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_is_told_the_payment_and_its_own_key_and_no_key_of_the_callers() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        let reply = shop.post_once(&format!("/v1/payments/{id}/confirm"), "callers-own", json!({})).await;
        assert_eq!(reply.status, 200);
        let seen = suite.peers.seen();
        assert_eq!(seen.len(), 1);
        assert!(seen[0].key.starts_with("att_"), "{}", seen[0].key);
        assert!(seen[0].timeout <= Duration::from_secs(20));
        let trace = seen[0].traceparent.as_deref().unwrap();
        assert!(trace.starts_with("00-"), "{trace}");
    })
    .await;
}
