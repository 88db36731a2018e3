//! The door: bodies that are no JSON, identifiers of another kind, and things that never were.

use florin_testkit::suite::{Suite, on_each_database};
use serde_json::json;

use crate::shop::{SERVICES, assert_problem, wrong_field};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_json_object_is_refused() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let deep = "[".repeat(10_000);
        for body in [
            "",
            "[]",
            "1",
            "null",
            "\"x\"",
            "{",
            "{}x",
            "{'amount': 1}",
            "{\"amount\": 01}",
            "\u{feff}{}",
            &deep,
        ] {
            let reply = shop.post_text("/v1/payments", None, body).await;
            assert_problem(&reply, 400, "invalid_request");
        }
        let media = [("content-type", "text/plain")];
        let reply = shop.request("POST", "/v1/payments", &media, r#"{"amount": 1, "currency": "EUR"}"#).await;
        assert_problem(&reply, 415, "unsupported_media_type");
        let big = format!(r#"{{"amount": 1, "currency": "EUR", "description": "{}"}}"#, "x".repeat(300_000));
        assert_problem(&shop.post_text("/v1/payments", None, &big).await, 413, "body_too_large");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_of_another_kind_is_refused_and_an_unknown_one_is_404() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let digits = "0".repeat(32);
        for verb in ["confirm", "capture", "cancel"] {
            let wrong = shop.post(&format!("/v1/payments/ref_{digits}/{verb}"), json!({})).await;
            assert_problem(&wrong, 400, "invalid_request");
            assert_eq!(wrong_field(&wrong), "id");
            let unknown = shop.post(&format!("/v1/payments/pay_{digits}/{verb}"), json!({})).await;
            assert_problem(&unknown, 404, "payment_not_found");
        }
        assert_problem(&shop.get(&format!("/v1/payments/pay_{digits}")).await, 404, "payment_not_found");
        assert_problem(&shop.get(&format!("/v1/refunds/ref_{digits}")).await, 404, "refund_not_found");
        let refund = shop.post("/v1/refunds", json!({ "payment": format!("pay_{digits}") })).await;
        assert_problem(&refund, 404, "payment_not_found");
        let wrong = shop.post("/v1/refunds", json!({ "payment": "order 7" })).await;
        assert_eq!((wrong.status, wrong_field(&wrong)), (400, "/payment"));
    })
    .await;
}
