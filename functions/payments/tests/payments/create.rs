//! Creating: what a new payment looks like and where it is found.

use florin_testkit::suite::{START, Suite, on_each_database};
use serde_json::{Value, json};

use crate::shop::{SERVICES, assert_problem, at_provider, order, payment};

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_says_all_its_fields_and_their_defaults() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let reply = shop.post("/v1/payments", order(json!({}))).await;
        let now = START.replace('Z', ".000000Z");
        assert_eq!(reply.status, 201);
        assert_eq!(
            reply.body,
            json!({
                "id": reply.id(), "status": "requires_payment_method", "amount": 1_000, "amount_capturable": 0,
                "amount_received": 0, "amount_refunded": 0, "currency": "EUR", "capture_method": "automatic",
                "payment_method": null, "reference": null, "description": null, "metadata": {},
                "return_url": null, "next_action": null, "last_error": null, "cancel_reason": null,
                "capture_before": null, "charge": null, "needs_review": false, "created_at": now, "updated_at": now, "version": 1
            })
        );
        assert!(reply.id().starts_with("pay_"));
        assert_eq!(payment(&shop, &reply.id()).await, reply.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_keeps_what_it_was_created_with() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let given = json!({
            "amount": 999_999_999_999_i64, "currency": "JPY", "capture_method": "manual",
            "payment_method": "pm_card_visa", "reference": "order 7/β", "description": "Zwei Bücher 📚",
            "metadata": { "cart": "c-1", "weight": "12.5 kg" }, "return_url": "https://shop.example/thanks?a=1#top"
        });
        let reply = shop.post("/v1/payments", given.clone()).await;
        assert_eq!((reply.status, &reply.body["status"]), (201, &json!("requires_confirmation")));
        let kept = payment(&shop, &reply.id()).await;
        for (name, value) in given.as_object().unwrap() {
            assert_eq!(&kept[name], value, "{name}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_payment_is_found_at_its_location() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for more in [json!({}), json!({ "payment_method": "pm_card_visa", "confirm": true })] {
            let reply = shop.post("/v1/payments", order(more)).await;
            let location = reply.header("location").unwrap();
            assert_eq!(location, format!("/v1/payments/{}", reply.id()));
            assert_eq!(shop.get(location).await.body, reply.body);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_is_created_and_confirmed_at_once_is_paid_and_charged_once() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let body = order(json!({ "payment_method": "pm_card_visa", "confirm": true }));
        let reply = shop.post("/v1/payments", body).await;
        assert_eq!((reply.status, &reply.body["status"]), (201, &json!("succeeded")));
        assert_eq!(reply.body["amount_received"], 1_000);
        assert_eq!(at_provider(&suite, &reply.id()).await, (1, 1, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn confirming_at_once_needs_a_payment_method_and_leaves_nothing_without() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let reply = shop.post("/v1/payments", order(json!({ "confirm": true }))).await;
        assert_problem(&reply, 422, "payment_method_missing");
        assert_eq!(reply.body["errors"][0]["pointer"], "/payment_method");
        assert_eq!(shop.get("/v1/payments").await.body["data"], json!([]));
        assert!(suite.peers.seen().is_empty(), "the provider was asked");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_at_creation_is_a_402_with_the_payment_inside_and_its_location() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let body = order(json!({ "payment_method": "pm_card_insufficient_funds", "confirm": true }));
        let reply = shop.post("/v1/payments", body).await;
        assert_problem(&reply, 402, "card_declined");
        assert_eq!(reply.body["decline_code"], "insufficient_funds");
        let inside: &Value = &reply.body["payment"];
        assert_eq!(inside["status"], "requires_payment_method");
        assert_eq!(shop.get(reply.header("location").unwrap()).await.body, *inside);
    })
    .await;
}
