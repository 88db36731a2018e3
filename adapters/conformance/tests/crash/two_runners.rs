//! Two runners of one effect at once: both call, under one key, and one recording wins.

use florin_conformance::card_proxy::Stop;
use florin_conformance::wait::within;
use florin_testkit::suite::Engine;

use crate::scene::Scene;

/// A first runner that still waits for its answer when its lease has ended, and a second one.
async fn check(scene: &Scene) {
    let mut first = scene.card.stop_next(Stop::Answer);
    let mut second = scene.card.stop_next(Stop::Answer);
    let confirming = scene.confirm();
    first.reached().await;
    assert_eq!(scene.site.rows("payments").end_leases().await, 1);
    second.reached().await;
    second.go();
    first.go();
    let answer = within("the answer", confirming).await.expect("a task").expect("an answer").expect(200);
    assert_eq!(scene.repeated().await.bytes, answer.bytes);
    scene.assert_confirmed_once().await;
    assert_eq!(scene.card.seen(), 2);
    let records = scene.site.sandbox.records_of(&scene.payment).await;
    assert_eq!(records["requests"][0]["requests"], 2, "{records}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_one_process_one_recording_wins() {
    let Some(scene) = Scene::on(Engine::Sqlite).await else { return };
    check(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_two_processes_one_recording_wins() {
    let Some(scene) = Scene::on(Engine::Postgres).await else { return };
    // A data directory has one serving process: the other one has its own, with the same key.
    let data = scene.site.another_data_directory("data-2");
    let settings = [("FLORIN_DATA", data.to_str().expect("text")), ("FLORIN_FUNCTIONS", "payments.*")];
    let _other = scene.site.serve_with("other", &settings).await;
    check(&scene).await;
}
