//! The state machine as a table: every verb in every status is allowed, or refused with the status.

use florin_testkit::suite::{Client, Suite, on_each_database};
use serde_json::json;

use crate::shop::{
    SERVICES, act, assert_problem, authorized, created, paid, payment, processing, refund,
    waiting_for_customer,
};

/// Status; then what confirm, capture, cancel and refund answer in it.
const TABLE: [(&str, [u16; 4]); 7] = [
    ("requires_payment_method", [200, 409, 200, 409]),
    ("requires_confirmation", [200, 409, 200, 409]),
    ("requires_action", [409, 409, 200, 409]),
    ("processing", [409, 409, 409, 409]),
    ("requires_capture", [409, 200, 200, 409]),
    ("succeeded", [409, 409, 409, 201]),
    ("canceled", [409, 409, 409, 409]),
];

async fn payment_in(status: &str, suite: &Suite, shop: &Client) -> String {
    match status {
        "requires_payment_method" => created(shop, json!({})).await,
        "requires_confirmation" => created(shop, json!({ "payment_method": "pm_card_visa" })).await,
        "requires_action" => waiting_for_customer(shop, json!({})).await.0,
        "processing" => processing(suite, shop).await,
        "requires_capture" => authorized(shop).await,
        "succeeded" => paid(shop).await,
        "canceled" => {
            let id = created(shop, json!({})).await;
            act(shop, &id, "cancel", json!({})).await;
            id
        }
        other => panic!("{other} is no status"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_in_every_status_is_allowed_or_refused_with_the_status() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for (status, answers) in TABLE {
            for (verb, expected) in ["confirm", "capture", "cancel", "refund"].into_iter().zip(answers) {
                let id = payment_in(status, &suite, &shop).await;
                let before = payment(&shop, &id).await;
                assert_eq!(before["status"], status);
                let asked_before = suite.peers.seen().len();
                let reply = match verb {
                    "refund" => refund(&shop, &id, json!({})).await,
                    "confirm" => act(&shop, &id, verb, json!({ "payment_method": "pm_card_visa" })).await,
                    _ => act(&shop, &id, verb, json!({})).await,
                };
                assert_eq!(reply.status, expected, "{verb} in {status}: {reply:?}");
                if expected == 409 {
                    assert_problem(&reply, 409, "payment_state_conflict");
                    assert_eq!(reply.body["payment_status"], status, "{verb}");
                    assert_eq!(payment(&shop, &id).await, before, "{verb} in {status} changed something");
                    assert_eq!(
                        suite.peers.seen().len(),
                        asked_before,
                        "{verb} in {status} asked the provider"
                    );
                }
            }
        }
    })
    .await;
}
