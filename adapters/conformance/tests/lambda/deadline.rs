//! The platform's deadline, and environments that it kills: the caller is answered in time, and the sweep finishes
//! what was begun.

use std::time::Duration;

use florin_conformance::card_proxy::{CardProxy, Stop};
use florin_conformance::client::Reply;
use florin_conformance::lambda::{Front, Lambda};
use florin_conformance::site::Site;
use florin_conformance::wait::until;
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::suite::Engine;
use serde_json::json;

use crate::{created, post, tick};

struct Scene {
    site: Site,
    card: CardProxy,
    lambda: Lambda,
    payment: String,
    confirm: HttpRequest,
    _sink: florin_conformance::sink::Sink,
}

async fn scene(engine: Engine) -> Option<Scene> {
    let (mut site, sink) = crate::site(engine).await?;
    let card = CardProxy::start(site.sandbox.base()).await;
    site.set("FLORIN_CARD_URL", card.base());
    let token = site.token("acme");
    let lambda = Lambda::start(&site, "lambda").await;
    let payment = created(&lambda, &token).await;
    let confirm = post(&token, &format!("/v1/payments/{payment}/confirm"), "confirm-1", &json!({}));
    Some(Scene { site, card, lambda, payment, confirm, _sink: sink })
}

/// Sweeps, as the schedule does every minute, until the confirm has its final answer.
async fn swept(scene: &Scene) -> Reply {
    until("the final answer", || async {
        assert_eq!(tick(&scene.lambda, "payments.sweep").await["disposition"], "done");
        let reply = scene.lambda.request(Front::HttpApi, &scene.confirm).await;
        match reply.status {
            200 => Some(reply),
            202 => None,
            _ => panic!("no answer of a confirm that goes on: {reply:?}"),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_slower_than_the_deadline_gets_a_202_and_the_sweep_finishes() {
    let Some(scene) = scene(Engine::Sqlite).await else { return };
    let mut stopped = scene.card.stop_next(Stop::Answer);
    let deadline = Duration::from_secs(3);
    let asked = scene.lambda.request_within(deadline, Front::HttpApi, &scene.confirm);
    let (accepted, ()) = tokio::join!(asked, stopped.reached());
    let accepted = accepted.expect(202);
    assert_eq!(accepted.body["status"], "processing");
    assert!(accepted.header("retry-after").is_some(), "{accepted:?}");
    // The lease was handed back: nothing is waited for, and nothing is charged twice.
    let last = swept(&scene).await;
    assert_eq!(last.body["status"], "succeeded");
    assert_eq!(scene.card.seen(), 2);
    scene.site.sandbox.assert_charged_once(&scene.payment).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_killed_during_the_call_leaves_it_to_the_sweep() {
    let Some(mut scene) = scene(Engine::Postgres).await else { return };
    let mut stopped = scene.card.stop_next(Stop::Answer);
    {
        let event = Front::HttpApi.event(&scene.confirm);
        tokio::select! {
            invoked = scene.lambda.invoke(&event) => panic!("it was answered: {invoked:?}"),
            () = stopped.reached() => {}
        }
    }
    scene.lambda.replace(&scene.site);
    let last = swept(&scene).await;
    assert_eq!(last.body["status"], "succeeded");
    assert_eq!(last.header("idempotency-replayed"), Some("true"));
    scene.site.sandbox.assert_charged_once(&scene.payment).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rules_own_event_ticks_the_job_it_is_named_after_and_an_unknown_job_fails() {
    let Some(scene) = scene(Engine::Sqlite).await else { return };
    let rule = json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2026-01-31T12:00:00Z", "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/payments.expire_authorizations"], "detail": {},
    });
    let ticked = scene.lambda.invoke(&rule).await.answer();
    assert_eq!(ticked["job"], "payments.expire_authorizations");
    // A tick that comes twice within its slot runs once; the slot may end between the two.
    let again = scene.lambda.invoke(&rule).await.answer();
    assert!(["duplicate", "done"].contains(&again["disposition"].as_str().unwrap_or_default()), "{again}");
    let unknown = scene.lambda.invoke(&json!({ "florin": { "job": "invoices.sweep" } })).await;
    let florin_testkit::lambda_runtime_api::Invoked::Failed(error) = unknown else { panic!("{unknown:?}") };
    assert_eq!(error["errorType"], "florin.no_such_job");
}
