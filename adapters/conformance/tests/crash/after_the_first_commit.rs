//! Killed after tx1, before or during the call: the sweep resumes with the same key.

use florin_conformance::card_proxy::Stop;
use florin_conformance::commit_proxy::Fate;
use florin_testkit::suite::Engine;
use serde_json::json;

use crate::on_each_database;
use crate::scene::Scene;

async fn during_the_call(engine: Engine) {
    let Some(mut scene) = Scene::on(engine).await else { return };
    let mut stopped = scene.card.stop_next(Stop::Request);
    let confirming = scene.confirm();
    stopped.reached().await;
    scene.florin.kill();
    assert!(confirming.await.expect("a task").is_err());
    assert_eq!(scene.site.sandbox.records_of(&scene.payment).await["requests"], json!([]));
    let scene = scene.again().await;
    if engine == Engine::Postgres {
        assert_eq!(scene.status().await, "processing");
    }
    // On a server the lease of the killed runner is waited for as it is: nothing tells that it is gone. In a data
    // directory of its own the process knows that it is alone.
    scene.assert_confirmed_once().await;
    assert_eq!(scene.card.seen(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_during_the_call_the_sweep_resumes_when_the_lease_ends() {
    on_each_database(during_the_call).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_call_the_sweep_makes_it() {
    let Some(mut scene) = Scene::on(Engine::Postgres).await else { return };
    let commits = scene.commits.as_ref().expect("this is PostgreSQL");
    let held = commits.next_commit_of("payments.confirm_payment", Fate::HeldAfter);
    let confirming = scene.confirm();
    held.met().await;
    scene.florin.kill();
    assert!(confirming.await.expect("a task").is_err());
    assert_eq!(scene.card.seen(), 0);
    let scene = scene.again().await;
    assert_eq!(scene.status().await, "processing");
    scene.assert_confirmed_once().await;
    assert_eq!(scene.card.seen(), 1);
}
