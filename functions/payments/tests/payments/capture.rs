//! Capturing what was authorized: at once, in parts, and never more than there is.

use florin_testkit::suite::{Fault, Suite, on_each_database};
use serde_json::json;

use crate::shop::{SERVICES, act, assert_problem, at_provider, authorized, payment, stands, wrong_field};

fn stand(status: &str, capturable: i64, received: i64) -> (String, i64, i64, i64) {
    (status.to_owned(), capturable, received, 0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_takes_all_unless_it_says_how_much() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for (body, received) in [
            (json!({}), 1_000),
            (json!({ "amount": 1_000 }), 1_000),
            (json!({ "amount": null, "final": true }), 1_000),
            // Nothing is left to wait for.
            (json!({ "final": false }), 1_000),
            // The rest is released.
            (json!({ "amount": 300 }), 300),
            (json!({ "amount": 300, "final": true }), 300),
        ] {
            let id = authorized(&shop).await;
            let reply = act(&shop, &id, "capture", body).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(reply.body, payment(&shop, &id).await);
            assert_eq!(stands(&shop, &id).await, stand("succeeded", 0, received));
            let charge = &suite.sandbox_records(&format!("?reference={id}")).await["records"][0]["charge"];
            assert_eq!(
                (&charge["status"], &charge["amount_captured"]),
                (&json!("succeeded"), &json!(received))
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn captures_that_are_not_final_add_up_and_the_last_one_ends_it() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        for (amount, last, after) in [
            (100, false, stand("requires_capture", 900, 100)),
            (200, false, stand("requires_capture", 700, 300)),
            (1, true, stand("succeeded", 0, 301)),
        ] {
            let reply = act(&shop, &id, "capture", json!({ "amount": amount, "final": last })).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(stands(&shop, &id).await, after);
        }
        assert_eq!(at_provider(&suite, &id).await, (1, 3, 0, 0));
        assert_problem(&act(&shop, &id, "capture", json!({})).await, 409, "payment_state_conflict");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_cent_ends_it_final_or_not() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        for amount in [999, 1] {
            let reply = act(&shop, &id, "capture", json!({ "amount": amount, "final": false })).await;
            assert_eq!(reply.status, 200, "{reply:?}");
        }
        assert_eq!(stands(&shop, &id).await, stand("succeeded", 0, 1_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_of_more_than_is_left_is_refused_and_takes_nothing() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        for (body, left) in [
            (json!({ "amount": 1_001 }), 1_000),
            (json!({ "amount": 1_001, "final": false }), 1_000),
            (json!({ "amount": 999_999_999_999_i64 }), 1_000),
        ] {
            let reply = act(&shop, &id, "capture", body).await;
            assert_problem(&reply, 409, "capture_exceeds_remaining");
            assert_eq!(
                (reply.body["amount_capturable"].as_i64(), wrong_field(&reply)),
                (Some(left), "/amount")
            );
        }
        assert_eq!(act(&shop, &id, "capture", json!({ "amount": 600, "final": false })).await.status, 200);
        let reply = act(&shop, &id, "capture", json!({ "amount": 401 })).await;
        assert_problem(&reply, 409, "capture_exceeds_remaining");
        assert_eq!(reply.body["amount_capturable"], 400);
        assert_eq!(stands(&shop, &id).await, stand("requires_capture", 400, 600));
        assert_eq!(at_provider(&suite, &id).await, (1, 1, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captures_fields_are_checked_by_name() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        let path = format!("/v1/payments/{id}/capture");
        for (body, pointer) in [
            (r#"{"amount": 0}"#, "/amount"),
            (r#"{"amount": -5}"#, "/amount"),
            (r#"{"amount": 1.0}"#, "/amount"),
            (r#"{"amount": "1"}"#, "/amount"),
            (r#"{"amount": 1, "amount": 1}"#, "/amount"),
            (r#"{"final": "no"}"#, "/final"),
            (r#"{"final": null}"#, "/final"),
            (r#"{"last": true}"#, "/last"),
            (r#"{"currency": "EUR"}"#, "/currency"),
            (r#"{"id": "pay_1"}"#, "/id"),
        ] {
            let reply = shop.post_text(&path, None, body).await;
            assert_problem(&reply, 400, "invalid_request");
            assert_eq!(wrong_field(&reply), pointer, "{body}");
        }
        assert_eq!(stands(&shop, &id).await, stand("requires_capture", 1_000, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_the_provider_refuses_is_a_402_and_the_authorization_stands() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        suite.peers.fail_next(&[Fault::Says(422, r#"{"error": {"code": "too_small"}}"#)]);
        let reply = act(&shop, &id, "capture", json!({ "amount": 1 })).await;
        assert_problem(&reply, 402, "capture_failed");
        let inside = payment(&shop, &id).await;
        assert_eq!(reply.body["payment"], inside);
        assert_eq!(
            (&inside["status"], &inside["last_error"]["code"]),
            (&json!("requires_capture"), &json!("capture_failed"))
        );
        let again = act(&shop, &id, "capture", json!({})).await;
        assert_eq!((again.status, &again.body["last_error"]), (200, &json!(null)));
        assert_eq!(stands(&shop, &id).await, stand("succeeded", 0, 1_000));
    })
    .await;
}
