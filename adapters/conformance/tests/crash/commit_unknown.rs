//! The connection is lost during a COMMIT: what came of it is looked up, and the answer is the final one or 503
//! `outcome_unknown`, after which the repeat gives the final one.

use florin_conformance::commit_proxy::{CommitProxy, Fate};
use florin_conformance::wait::within;
use florin_testkit::suite::Engine;

use crate::scene::Scene;

/// What the change's transaction says of itself.
const CHANGE: &str = "payments.confirm_payment";
const RECORDING: &str = "payments.record_charge";

fn commits(scene: &Scene) -> &CommitProxy {
    scene.commits.as_ref().expect("this is PostgreSQL")
}

async fn check(transaction: &str, fate: Fate) {
    let Some(scene) = Scene::on(Engine::Postgres).await else { return };
    let lost = commits(&scene).next_commit_of(transaction, fate);
    let confirming = scene.confirm();
    lost.met().await;
    let answer = within("the answer", confirming).await.expect("a task").expect("an answer");
    match answer.status {
        200 => assert_eq!(scene.repeated().await.bytes, answer.bytes),
        202 => assert!(answer.header("retry-after").is_some(), "{answer:?}"),
        _ => assert_eq!((answer.status, answer.code()), (503, "outcome_unknown"), "{answer:?}"),
    }
    scene.assert_confirmed_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_change_lost_before_the_server_saw_it_the_room_runs_again() {
    check(CHANGE, Fate::LostBefore).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_change_lost_after_it_was_made_it_is_found() {
    check(CHANGE, Fate::LostAfter).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_recording_lost_before_the_server_saw_it_it_is_made_again() {
    check(RECORDING, Fate::LostBefore).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_recording_lost_after_it_was_made_it_stands() {
    check(RECORDING, Fate::LostAfter).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nobody_left_to_ask_the_answer_is_503_and_the_repeat_is_final() {
    let Some(scene) = Scene::on(Engine::Postgres).await else { return };
    let lost = commits(&scene).next_commit_of(CHANGE, Fate::LostAfterAndAway);
    let confirming = scene.confirm();
    lost.met().await;
    let answer = within("the answer", confirming).await.expect("a task").expect("an answer").expect(503);
    assert_eq!(answer.code(), "outcome_unknown");
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    commits(&scene).come_back();
    scene.assert_confirmed_once().await;
}
