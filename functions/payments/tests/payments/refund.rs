//! Refunding: all or part of what was received, and never more.

use florin_testkit::suite::{Fault, Suite, on_each_database};
use serde_json::json;

use crate::shop::{
    SERVICES, act, assert_problem, at_provider, authorized, created, paid, payment, refund, stands,
    wrong_field,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_says_all_its_fields_and_is_found_at_its_location() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = paid(&shop).await;
        let more =
            json!({ "amount": 250, "reason": "damaged", "reference": "r-1", "metadata": { "case": "9" } });
        let reply = refund(&shop, &id, more).await;
        assert_eq!(reply.status, 201);
        assert_eq!(
            reply.body,
            json!({
                "id": reply.id(), "payment": id, "amount": 250, "currency": "EUR", "reason": "damaged",
                "reference": "r-1", "status": "succeeded", "metadata": { "case": "9" },
                "created_at": "2026-01-31T12:00:00.000000Z"
            })
        );
        assert_eq!(reply.header("location"), Some(format!("/v1/refunds/{}", reply.id()).as_str()));
        assert_eq!(shop.get(reply.header("location").unwrap()).await.body, reply.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_without_an_amount_pays_back_all_that_is_left() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = paid(&shop).await;
        assert_eq!(refund(&shop, &id, json!({ "amount": 1 })).await.status, 201);
        assert_eq!(refund(&shop, &id, json!({})).await.body["amount"], 999);
        assert_eq!(stands(&shop, &id).await, ("succeeded".to_owned(), 0, 1_000, 1_000));
        assert_eq!(at_provider(&suite, &id).await, (1, 1, 2, 0));
        let none_left = refund(&shop, &id, json!({})).await;
        assert_problem(&none_left, 409, "refund_exceeds_remaining");
        assert_eq!(none_left.body["amount_refundable"], 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_add_up_to_what_was_received_and_not_a_cent_more() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = paid(&shop).await;
        let too_much = refund(&shop, &id, json!({ "amount": 1_001 })).await;
        assert_problem(&too_much, 409, "refund_exceeds_remaining");
        assert_eq!(
            (too_much.body["amount_refundable"].as_i64(), wrong_field(&too_much)),
            (Some(1_000), "/amount")
        );
        for amount in [300, 300, 300] {
            assert_eq!(refund(&shop, &id, json!({ "amount": amount })).await.status, 201);
        }
        assert_problem(&refund(&shop, &id, json!({ "amount": 101 })).await, 409, "refund_exceeds_remaining");
        assert_eq!(refund(&shop, &id, json!({ "amount": 100 })).await.status, 201);
        assert_eq!((stands(&shop, &id).await.3, at_provider(&suite, &id).await.2), (1_000, 4));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_captured_part_can_be_refunded_before_or_after_the_last_capture() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        act(&shop, &id, "capture", json!({ "amount": 400, "final": false })).await;
        assert_problem(&refund(&shop, &id, json!({ "amount": 401 })).await, 409, "refund_exceeds_remaining");
        assert_eq!(refund(&shop, &id, json!({ "amount": 150 })).await.status, 201);
        assert_eq!(stands(&shop, &id).await, ("requires_capture".to_owned(), 600, 400, 150));
        act(&shop, &id, "capture", json!({ "amount": 100 })).await;
        assert_eq!(stands(&shop, &id).await, ("succeeded".to_owned(), 0, 500, 150));
        assert_problem(&refund(&shop, &id, json!({ "amount": 351 })).await, 409, "refund_exceeds_remaining");
        assert_eq!(refund(&shop, &id, json!({})).await.body["amount"], 350);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_received_cannot_be_refunded() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let untouched = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        let reserved = authorized(&shop).await;
        let canceled = created(&shop, json!({})).await;
        act(&shop, &canceled, "cancel", json!({})).await;
        for (id, status) in
            [(untouched, "requires_confirmation"), (reserved, "requires_capture"), (canceled, "canceled")]
        {
            for more in [json!({}), json!({ "amount": 1 })] {
                let reply = refund(&shop, &id, more).await;
                assert_problem(&reply, 409, "payment_state_conflict");
                assert_eq!(reply.body["payment_status"], status);
            }
        }
        assert_eq!(shop.get("/v1/refunds").await.body["data"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_the_provider_refuses_is_a_402_and_gives_the_amount_back() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = paid(&shop).await;
        suite.peers.fail_next(&[Fault::Says(402, r#"{"error": {"code": "account_closed"}}"#)]);
        let reply = refund(&shop, &id, json!({ "amount": 800 })).await;
        assert_problem(&reply, 402, "refund_failed");
        let inside = &reply.body["refund"];
        assert_eq!((&inside["status"], &inside["amount"]), (&json!("failed"), &json!(800)));
        assert_eq!(shop.get(reply.header("location").unwrap()).await.body, *inside);
        assert_eq!(stands(&shop, &id).await.3, 0);
        // All of it can be refunded again.
        assert_eq!(refund(&shop, &id, json!({ "amount": 1_000 })).await.status, 201);
        assert_eq!(at_provider(&suite, &id).await.2, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refunds_fields_are_checked_by_name() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = paid(&shop).await;
        for (more, pointer) in [
            (json!({ "amount": 0 }), "/amount"),
            (json!({ "amount": 1.5 }), "/amount"),
            (json!({ "amount": "1" }), "/amount"),
            (json!({ "reason": "" }), "/reason"),
            (json!({ "reason": "x".repeat(256) }), "/reason"),
            (json!({ "reference": "x".repeat(256) }), "/reference"),
            (json!({ "metadata": { "k": 1 } }), "/metadata/k"),
            (json!({ "currency": "EUR" }), "/currency"),
            (json!({ "payment": null }), "/payment"),
        ] {
            let reply = refund(&shop, &id, more).await;
            assert_problem(&reply, 400, "invalid_request");
            assert_eq!(wrong_field(&reply), pointer, "{reply:?}");
        }
        assert_eq!(payment(&shop, &id).await["amount_refunded"], 0);
    })
    .await;
}
