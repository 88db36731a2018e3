//! A payment created and confirmed through a function, on each database; its events are with the broker when the
//! answer comes.

use florin_conformance::audit::{event, operation};
use florin_conformance::lambda::{Front, Lambda};
use florin_testkit::suite::Engine;
use serde_json::json;

use crate::{created, post, site};

async fn check(engine: Engine) {
    let Some((site, sink)) = site(engine).await else { return };
    let token = site.token("acme");
    let mut lambda = Lambda::start(&site, "lambda").await;
    let payment = created(&lambda, &token).await;
    let confirm = post(&token, &format!("/v1/payments/{payment}/confirm"), "confirm-1", &json!({}));
    let confirmed = lambda.request(Front::RestApi, &confirm).await.expect(200);
    assert_eq!(confirmed.body["status"], "succeeded");
    site.sandbox.assert_charged_once(&payment).await;

    let taken = sink.taken().await;
    let mut kinds: Vec<&str> = taken.iter().map(|event| event.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            "florin.audit.operation.v1",
            "florin.audit.operation.v1",
            "florin.audit.operation.v1",
            "florin.payment.created.v1",
            "florin.payment.succeeded.v1",
        ]
    );

    for front in Front::ALL {
        let replayed = lambda.request(front, &confirm).await.expect(200);
        assert_eq!(replayed.bytes, confirmed.bytes, "{front:?}");
        assert_eq!(replayed.header("idempotency-replayed"), Some("true"), "{front:?}");
    }
    site.sandbox.assert_charged_once(&payment).await;
    assert!(lambda.process().is_running());
    crate::batches::assert_recorded_by_batch(
        &lambda,
        &token,
        &taken,
        vec![
            operation("create_payment", &payment, "succeeded"),
            event("payment.created", &payment, 1),
            operation("confirm_payment", &payment, "accepted"),
            operation("record_charge", &payment, "succeeded"),
            event("payment.succeeded", &payment, 3),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_goes_through_a_function_on_sqlite() {
    check(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_goes_through_a_function_on_postgresql() {
    check(Engine::Postgres).await;
}
