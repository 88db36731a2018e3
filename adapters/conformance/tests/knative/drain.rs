//! SIGTERM: the platform still sends requests to a process that is going, and they are served.

use florin_conformance::wait::until;
use florin_testkit::suite::Engine;
use serde_json::json;

use crate::Knative;

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_it_is_not_ready_keeps_serving_and_ends_with_0() {
    let Some(mut knative) = Knative::start(Engine::Sqlite).await else { return };
    knative.florin.process().terminate();
    let client = knative.client.clone();
    until("it is not ready", || async { (client.get("/readyz").await.status == 503).then_some(()) }).await;
    let body = json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    client.post_once("/v1/payments", "key-1", body.clone()).await.expect(201);
    client.over_h2c().post_once("/v1/payments", "key-2", body).await.expect(201);
    let status = knative.florin.process().ended().await;
    assert!(status.success(), "{status}");
    assert_eq!(knative.sink.taken().await.len(), 8);
    assert_eq!(knative.site.unpublished(), 0);
}
