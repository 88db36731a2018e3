//! When the provider's answer stays away: 202 with the current state, and the final answer afterwards.

use std::time::Duration;

use florin_kernel::service::Settings;
use florin_testkit::suite::{Fault, Reply, Suite, on_each_database, on_each_database_with};
use serde_json::{Value, json};

use crate::shop::{
    SERVICES, abandoned, at_provider, authorized, created, order, paid, payment, waiting_for_customer,
};

/// Longer than the lease of any effect here.
const LEASE: Duration = Duration::from_secs(30);

fn impatient() -> Settings {
    Settings { wait: Duration::from_millis(100), ..Settings::default() }
}

/// Asks under a key while the runner dies after the provider acted; asks meanwhile, and again after a sweep.
async fn resumed(suite: &Suite, path: &str, body: &Value) -> (Reply, Reply) {
    let shop = suite.client("shop");
    suite.peers.fail_next(&[Fault::Stuck]);
    let first = shop.post_once(path, "k", body.clone()).await;
    let meanwhile = shop.post_once(path, "k", body.clone()).await;
    for reply in [&first, &meanwhile] {
        assert_eq!(reply.status, 202, "{reply:?}");
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert_eq!(reply.header("idempotency-replayed"), None);
    }
    assert_eq!(first.bytes, meanwhile.bytes);
    suite.advance(LEASE);
    assert_eq!(suite.sweep().await, 1);
    let last = shop.post_once(path, "k", body.clone()).await;
    assert_eq!(last.header("idempotency-replayed"), Some("true"));
    let again = shop.post_once(path, "k", body.clone()).await;
    assert_eq!((last.status, &last.bytes), (again.status, &again.bytes));
    (first, last)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirm_that_waits_is_202_and_its_key_gives_the_final_answer_afterwards() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        let (first, last) = resumed(&suite, &format!("/v1/payments/{id}/confirm"), &json!({})).await;
        assert_eq!(first.body["status"], "processing");
        assert_eq!((last.status, &last.body["status"]), (200, &json!("succeeded")));
        assert_eq!(last.body, payment(&shop, &id).await);
        assert_eq!(at_provider(&suite, &id).await, (1, 1, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_that_was_waited_for_is_a_402_afterwards() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let body = order(json!({ "payment_method": "pm_card_expired", "confirm": true }));
        let (first, last) = resumed(&suite, "/v1/payments", &body).await;
        let id = first.id();
        assert_eq!(first.header("location"), Some(format!("/v1/payments/{id}").as_str()));
        assert_eq!(
            (last.status, last.code(), &last.body["payment"]["id"]),
            (402, "card_declined", &json!(id))
        );
        assert_eq!(last.header("location"), first.header("location"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn captures_cancels_and_refunds_are_resumed_too() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        let (_, last) =
            resumed(&suite, &format!("/v1/payments/{id}/capture"), &json!({ "amount": 400 })).await;
        assert_eq!((last.status, &last.body["amount_received"]), (200, &json!(400)));
        assert_eq!(at_provider(&suite, &id).await, (1, 1, 0, 0));
    })
    .await;
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        let (_, last) = resumed(&suite, &format!("/v1/payments/{id}/cancel"), &json!({})).await;
        assert_eq!((last.status, &last.body["status"]), (200, &json!("canceled")));
        assert_eq!(at_provider(&suite, &id).await, (1, 0, 0, 1));
    })
    .await;
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = paid(&shop).await;
        let (first, last) = resumed(&suite, "/v1/refunds", &json!({ "payment": id, "amount": 300 })).await;
        assert_eq!(first.body["status"], "pending");
        assert_eq!(first.header("location"), Some(format!("/v1/refunds/{}", first.id()).as_str()));
        assert_eq!((last.status, &last.body["status"], last.id()), (201, &json!("succeeded"), first.id()));
        assert_eq!(at_provider(&suite, &id).await, (1, 1, 1, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customers_browser_is_not_kept_waiting() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, page) = waiting_for_customer(&shop, json!({ "return_url": "https://shop.example/t" })).await;
        let back = suite.authenticate(&page, "approve").await;
        suite.peers.fail_next(&[Fault::Stuck]);
        let reply = suite.stranger().get(back.strip_prefix("http://florin.test").unwrap()).await;
        assert_eq!((reply.status, payment(&shop, &id).await["status"].as_str()), (303, Some("processing")));
        suite.advance(LEASE);
        suite.sweep().await;
        assert_eq!(payment(&shop, &id).await["status"], "succeeded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_repeats_a_key_while_it_is_open_waits_for_its_answer() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        let path = format!("/v1/payments/{id}/confirm");
        let confirm = move || {
            let (shop, path) = (shop.clone(), path.clone());
            async move { shop.post_once(&path, "k", json!({})).await }
        };
        abandoned(&suite, confirm()).await;
        let waiting = tokio::spawn(confirm());
        suite.advance(LEASE);
        assert_eq!(suite.sweep().await, 1);
        let reply = waiting.await.unwrap();
        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("succeeded")));
        assert_eq!(reply.header("idempotency-replayed"), Some("true"));
    })
    .await;
}
