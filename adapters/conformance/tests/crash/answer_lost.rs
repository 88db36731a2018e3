//! The provider charged and its answer is lost: the sweep repeats the call with the same key, which is the same
//! charge.

use florin_conformance::card_proxy::Stop;
use florin_testkit::suite::Engine;
use serde_json::json;

use crate::on_each_database;
use crate::scene::Scene;

/// A process is killed after the provider charged; it starts again, perhaps elsewhere.
async fn check(engine: Engine, elsewhere: bool) {
    let Some(mut scene) = Scene::on(engine).await else { return };
    let mut stopped = scene.card.stop_next(Stop::Answer);
    let confirming = scene.confirm();
    stopped.reached().await;
    scene.florin.kill();
    assert!(confirming.await.expect("a task").is_err());
    scene.site.sandbox.assert_charged_once(&scene.payment).await;
    let scene = if elsewhere { scene.elsewhere().await } else { scene.again().await };
    scene.assert_confirmed_once().await;
    let records = scene.site.sandbox.records_of(&scene.payment).await;
    assert_eq!(records["requests"][0]["requests"], json!(2), "{records}");
    assert_eq!(records["requests"][0]["mismatched"], json!(0), "{records}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_charge_the_same_key_finds_the_same_charge() {
    on_each_database(|engine| check(engine, false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_charge_and_started_at_another_address_the_same_key_finds_the_same_charge() {
    on_each_database(|engine| check(engine, true)).await;
}
