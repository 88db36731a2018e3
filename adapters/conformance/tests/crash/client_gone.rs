//! The client goes away during the call: the task goes on.

use florin_conformance::card_proxy::Stop;
use florin_conformance::wait::until;
use florin_testkit::suite::Engine;

use crate::on_each_database;
use crate::scene::Scene;

async fn check(engine: Engine) {
    let Some(scene) = Scene::on(engine).await else { return };
    let mut stopped = scene.card.stop_next(Stop::Request);
    let confirming = scene.confirm();
    stopped.reached().await;
    confirming.abort();
    assert!(confirming.await.is_err_and(|error| error.is_cancelled()));
    stopped.go();
    until("the payment is paid", || async { (scene.status().await == "succeeded").then_some(()) }).await;
    scene.assert_confirmed_once().await;
    // By the task of the request that went away: the sweep had nothing to do.
    assert_eq!(scene.card.seen(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_call_goes_on_and_the_repeat_gives_its_answer() {
    on_each_database(check).await;
}
