//! HTTP/1.1 and h2c with prior knowledge on the one port.

use florin_testkit::suite::Engine;
use serde_json::json;

use crate::Knative;

#[tokio::test(flavor = "multi_thread")]
async fn both_protocols_serve_payments_on_the_port_that_knative_names() {
    let Some(knative) = Knative::start(Engine::Sqlite).await else { return };
    let h2c = knative.client.over_h2c();
    let body = json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    let first = knative.client.post_once("/v1/payments", "key-1", body.clone()).await.expect(201);
    let replayed = h2c.post_once("/v1/payments", "key-1", body.clone()).await.expect(201);
    assert_eq!(replayed.bytes, first.bytes);
    let other = h2c.post_once("/v1/payments", "key-2", body).await.expect(201);
    assert_eq!(
        knative.client.get(&format!("/v1/payments/{}", other.id())).await.expect(200).body,
        other.body
    );
    assert_eq!(h2c.get("/readyz").await.status, 200);
}
