//! Idempotency keys: whose they are, what they look like, and which answers they never keep.

use florin_testkit::suite::{Suite, on_each_database};
use serde_json::json;

use crate::shop::{SERVICES, assert_problem, order};

const PATH: &str = "/v1/payments";
const SCOPES: &[&str] = &["payments:read", "payments:write"];

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_two_clients_or_two_tenants_do_not_meet() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let mut ids = Vec::new();
        for (tenant, client) in [("shop", "till-1"), ("shop", "till-2"), ("other", "till-1")] {
            let client = suite.client_with(tenant, client, SCOPES);
            // Another body too: were the keys one, this would be refused.
            let body = order(json!({ "description": format!("{}", ids.len() + 1) }));
            let reply = client.post_once(PATH, "k", body).await;
            assert_eq!((reply.status, reply.header("idempotency-replayed")), (201, None));
            ids.push(reply.id());
        }
        ids.dedup();
        assert_eq!(ids.len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_door_refuses_is_not_stored() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let reader = suite.client_with("shop", "tester", &["payments:read"]);
        let big = format!(r#"{{"description": "{}"}}"#, "x".repeat(300_000));
        let refusals = [
            (400, shop.post_once(PATH, "k", json!({ "amount": 0 })).await),
            (400, shop.post_text(PATH, Some("k"), "{").await),
            (413, shop.post_text(PATH, Some("k"), &big).await),
            (401, suite.stranger().post_once(PATH, "k", order(json!({}))).await),
            (403, reader.post_once(PATH, "k", order(json!({}))).await),
        ];
        for (status, reply) in refusals {
            assert_eq!(reply.status, status, "{reply:?}");
        }
        let reply = shop.post_once(PATH, "k", order(json!({ "description": "and now" }))).await;
        assert_eq!((reply.status, reply.header("idempotency-replayed")), (201, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_1_to_255_visible_characters_and_is_given_once() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (longest, longer) = ("k".repeat(255), "k".repeat(256));
        let body = order(json!({})).to_string();
        for headers in [
            vec![("idempotency-key", "")],
            vec![("idempotency-key", longer.as_str())],
            vec![("idempotency-key", "schlüssel")],
            vec![("idempotency-key", "a"), ("idempotency-key", "b")],
            vec![("idempotency-key", "a"), ("idempotency-key", "a")],
        ] {
            let all: Vec<_> = headers.iter().copied().chain([("content-type", "application/json")]).collect();
            assert_problem(&shop.request("POST", PATH, &all, &body).await, 400, "invalid_request");
        }
        assert_eq!(shop.get(PATH).await.body["data"], json!([]));
        assert_eq!(shop.post_once(PATH, &longest, order(json!({}))).await.status, 201);
    })
    .await;
}
