//! What a merchant can rely on, through the HTTP door, on both databases.

use florin_testkit::suite::{Suite, on_each_database};
use serde_json::json;

const SERVICES: &[&florin_kernel::service::Definition] = &[&florin_payments::SERVICE];

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_is_created_and_confirmed_at_once_is_paid_and_charged_once() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let created = shop
            .post("/v1/payments", json!({"amount": 1999, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true}))
            .await;
        assert_eq!((created.status, created.body["status"].as_str()), (201, Some("succeeded")), "{created:?}");
        assert_eq!(created.header("location"), Some(format!("/v1/payments/{}", created.id()).as_str()));
        let records = suite.sandbox_records(&format!("?reference={}", created.id())).await;
        println!("{records}");
    })
    .await;
}
