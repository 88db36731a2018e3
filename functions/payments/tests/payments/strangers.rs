//! Strangers at the return address: it is public, and opens nothing that was not begun.

use florin_testkit::suite::{Suite, on_each_database};
use serde_json::json;

use crate::authentication::return_path;
use crate::shop::{SERVICES, act, assert_problem, authorized, payment, stands, waiting_for_customer};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_attempt_payment_or_tenant_at_the_return_address_is_404_and_asks_nobody() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, page) = waiting_for_customer(&shop, json!({})).await;
        let path = return_path(&suite);
        suite.authenticate(&page, "approve").await;
        let digits = "0".repeat(32);
        let attempt = path.rsplit('/').next().unwrap();
        let asked_before = suite.peers.seen().len();
        let digits_are_unknown = |detail: &str| detail.starts_with("there is no payment pay_");
        for wrong in [
            path.replace(attempt, &format!("att_{digits}")),
            path.replace(&id, &format!("pay_{digits}")),
            path.replace("/shop/", "/other/"),
        ] {
            assert_ne!(wrong, path);
            let reply = suite.stranger().get(&wrong).await;
            assert_problem(&reply, 404, "payment_not_found");
            // Nobody learns which of the two was wrong.
            assert!(digits_are_unknown(reply.body["detail"].as_str().unwrap()), "{reply:?}");
        }
        assert_eq!(suite.peers.seen().len(), asked_before);
        assert_eq!(stands(&shop, &id).await.0, "requires_action");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_attempt_before_a_decline_opens_nothing_afterwards() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, page) = waiting_for_customer(&shop, json!({})).await;
        let first = return_path(&suite);
        suite.authenticate(&page, "refuse").await;
        suite.stranger().get(&first).await;
        let again = json!({ "payment_method": "pm_card_authentication_required" });
        assert_eq!(act(&shop, &id, "confirm", again).await.body["status"], "requires_action");
        assert_problem(&suite.stranger().get(&first).await, 404, "payment_not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_needed_no_customer_has_nothing_to_come_back_to() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        let before = payment(&shop, &id).await;
        assert_eq!(suite.stranger().get(&return_path(&suite)).await.status, 200);
        assert_eq!((payment(&shop, &id).await, suite.peers.seen().len()), (before, 1));
    })
    .await;
}
