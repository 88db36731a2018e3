//! A reference is the merchant's own name for a payment or refund: unique within the tenant for ever.

use std::time::Duration;

use florin_testkit::suite::{Suite, on_each_database};
use futures_util::future::join_all;
use serde_json::json;

use crate::shop::{SERVICES, assert_problem, created, order, paid, refund, stands};

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_names_one_payment_for_ever() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let first = created(&shop, json!({ "reference": "order-7" })).await;
        for _ in 0..2 {
            let again = shop.post("/v1/payments", order(json!({ "reference": "order-7" }))).await;
            assert_problem(&again, 409, "reference_taken");
            assert_eq!(again.body["payment_id"], json!(first));
            assert_eq!(again.body["errors"][0]["pointer"], "/reference");
            // Long after every idempotency key is forgotten, and after the payment is over.
            suite.advance(Duration::from_secs(300 * 24 * 60 * 60));
            suite.service("payments").tick("payments.purge").await;
            shop.post(&format!("/v1/payments/{first}/cancel"), json!({})).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_reference_charges_nothing() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let body =
            order(json!({ "reference": "order-7", "payment_method": "pm_card_visa", "confirm": true }));
        assert_eq!(shop.post("/v1/payments", body.clone()).await.status, 201);
        assert_problem(&shop.post("/v1/payments", body).await, 409, "reference_taken");
        assert_eq!(suite.peers.seen().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_may_use_the_same_reference() {
    on_each_database(SERVICES, |suite: Suite| async move {
        created(&suite.client("shop"), json!({ "reference": "order-7" })).await;
        created(&suite.client("other"), json!({ "reference": "order-7" })).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_without_a_reference_do_not_meet() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        assert_ne!(created(&shop, json!({})).await, created(&shop, json!({ "reference": null })).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_parallel_payments_with_one_reference_one_is_made_and_charged() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let body =
            order(json!({ "reference": "order-7", "payment_method": "pm_card_visa", "confirm": true }));
        let replies = join_all((0..50).map(|_| shop.post("/v1/payments", body.clone()))).await;
        assert_eq!(replies.iter().filter(|r| r.status == 201).count(), 1);
        for refused in replies.iter().filter(|r| r.status != 201) {
            assert_problem(refused, 409, "reference_taken");
        }
        assert_eq!(suite.peers.seen().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_names_one_refund_for_ever_and_a_taken_one_sets_nothing_aside() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (first, second) = (paid(&shop).await, paid(&shop).await);
        let made = refund(&shop, &first, json!({ "amount": 100, "reference": "return-7" })).await;
        assert_eq!((made.status, &made.body["reference"]), (201, &json!("return-7")));
        for payment in [&first, &second] {
            let again = refund(&shop, payment, json!({ "amount": 100, "reference": "return-7" })).await;
            assert_problem(&again, 409, "reference_taken");
            assert_eq!(again.body["refund_id"], json!(made.id()));
        }
        assert_eq!(stands(&shop, &first).await.3, 100);
        assert_eq!(stands(&shop, &second).await.3, 0);
        let other = suite.client("other");
        let theirs = paid(&other).await;
        assert_eq!(refund(&other, &theirs, json!({ "reference": "return-7" })).await.status, 201);
    })
    .await;
}
