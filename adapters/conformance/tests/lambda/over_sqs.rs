//! Payments as a function, audit as a container, joined by SQS.

use florin_conformance::audit::{event, operation, recorded};
use florin_conformance::lambda::{Front, Lambda};
use florin_conformance::site::{Broker, Site};
use florin_conformance::wait::until;
use florin_testkit::suite::Engine;
use serde_json::json;

use crate::{created, post, tick};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_publishes_is_recorded_by_a_container() {
    let Some(mut site) = Site::new(Engine::Postgres, &Broker::Sqs).await else { return };
    site.set("FLORIN_PUBLIC_URL", "https://pay.example");
    // It makes the queues; a function that starts cold only uses them.
    let mut audit = site.serve_with("audit", &[("FLORIN_FUNCTIONS", "audit.*")]).await;
    let token = site.token("acme");
    let lambda = Lambda::start_with(&site, "lambda", &[("FLORIN_FUNCTIONS", "payments.*")]).await;
    let payment = created(&lambda, &token).await;
    let confirm = post(&token, &format!("/v1/payments/{payment}/confirm"), "confirm-1", &json!({}));
    lambda.request(Front::FunctionUrl, &confirm).await.expect(200);
    let client = site.client(&audit, "acme");
    let mut expected = vec![
        operation("create_payment", &payment, "succeeded"),
        event("payment.created", &payment, 1),
        operation("confirm_payment", &payment, "accepted"),
        operation("record_charge", &payment, "succeeded"),
        event("payment.succeeded", &payment, 3),
    ];
    expected.sort();
    let lines = until("all is recorded", || async {
        // What an invocation had no time to publish, the schedule's sweep does.
        assert_eq!(tick(&lambda, "payments.sweep").await["disposition"], "done");
        if site.unpublished() > 0 || site.waiting().await > 0 {
            return None;
        }
        let lines = recorded(&client).await;
        (lines.len() >= expected.len()).then_some(lines)
    })
    .await;
    assert_eq!(lines, expected);
    audit.stop().await;
}
