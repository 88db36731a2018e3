//! Tenants in one deployment: each sees its own, whoever's identifier it names.

use florin_conformance::audit::{assert_recorded, event, operation};
use florin_conformance::site::{Broker, Site};
use florin_testkit::suite::Engine;
use serde_json::json;

async fn check(engine: Engine) {
    let Some(site) = Site::new(engine, &Broker::Embedded).await else { return };
    let florin = site.serve().await;
    let (acme, other) = (site.client(&florin, "acme"), site.client(&florin, "other"));
    // The same key and the same reference are each tenant's own.
    let body =
        json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "reference": "order-1" });
    let of_acme = acme.post_once("/v1/payments", "key-1", body.clone()).await.expect(201).id();
    let of_other = other.post_once("/v1/payments", "key-1", body).await.expect(201).id();
    assert_ne!(of_acme, of_other);

    let path = format!("/v1/payments/{of_acme}");
    let absent = other.get("/v1/payments/pay_01a20c4981047b05ab49de913dc43ad3").await.expect(404);
    let hidden = other.get(&path).await.expect(404);
    assert_eq!(hidden.code(), absent.code());
    for verb in ["confirm", "capture", "cancel"] {
        other.post(&format!("{path}/{verb}"), json!({})).await.expect(404);
    }
    other.post("/v1/refunds", json!({ "payment": of_acme })).await.expect(404);
    let listed = other.get("/v1/payments").await.expect(200).body;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed["data"][0]["id"], json!(of_other));
    let status = acme.get(&path).await.expect(200).body["status"].clone();
    assert_eq!(status, "requires_confirmation");

    let expected =
        vec![operation("create_payment", &of_acme, "succeeded"), event("payment.created", &of_acme, 1)];
    assert_recorded(&site, &acme, expected).await;
    let mut expected =
        vec![operation("create_payment", &of_other, "succeeded"), event("payment.created", &of_other, 1)];
    // What was tried is told to the tenant who tried it.
    expected.extend(
        ["confirm_payment", "capture_payment", "cancel_payment", "create_refund"]
            .map(|verb| operation(verb, "-", "refused")),
    );
    assert_recorded(&site, &other, expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_a_tenant_sees_nothing_of_another() {
    check(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_a_tenant_sees_nothing_of_another() {
    check(Engine::Postgres).await;
}
