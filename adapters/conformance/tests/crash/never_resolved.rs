//! Never resolved within the effect's greatest age: a person must look, and can have it tried again.

use std::time::Duration;

use florin_conformance::audit::{assert_recorded, event, operation};
use florin_conformance::process;
use florin_conformance::wait::until;
use florin_testkit::suite::Engine;
use serde_json::Value;

use crate::on_each_database;
use crate::scene::Scene;

const A_DAY_AND_AN_HOUR: Duration = Duration::from_secs(25 * 60 * 60);

fn effects(scene: &Scene) -> Vec<Value> {
    let listed = scene.site.command(&["effects", "list"]);
    listed.lines().map(|line| serde_json::from_str(line).expect("a line of JSON each")).collect()
}

async fn check(engine: Engine) {
    let Some(scene) = Scene::with(engine, &[("FLORIN_WAIT_MS", "300")]).await else { return };
    scene.card.set_away(true);
    let accepted = scene.confirm().await.expect("a task").expect("an answer").expect(202);
    assert_eq!(accepted.body["status"], "processing");
    assert_eq!(effects(&scene)[0]["state"], "wanted");
    assert_eq!(scene.site.rows("payments").age_effects(A_DAY_AND_AN_HOUR).await, 1);

    let last = scene.repeated().await;
    assert_eq!((&last.body["status"], &last.body["needs_review"]), (&"processing".into(), &true.into()));
    let [effect] = &effects(&scene)[..] else { panic!("one effect needs a person") };
    assert_eq!(
        (&effect["state"], &effect["function"]),
        (&"needs_review".into(), &"payments.charge_card".into())
    );

    scene.card.set_away(false);
    // The provider may have forgotten the key by now: somebody looks there first, and knows under what.
    let id = effect["id"].as_str().expect("an id");
    let remembered = &effect["may_happen_twice"];
    let key = remembered["key"].as_str().expect("a key");
    assert_eq!(
        (&remembered["peer"], &remembered["subject"]),
        (&"card".into(), &scene.payment.as_str().into())
    );
    let refused = process::run(&["effects", "retry", id], &scene.site.environment(), scene.site.directory());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    for part in [id, key, &scene.payment, "--may-happen-twice"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    assert_eq!(&effects(&scene)[..], std::slice::from_ref(effect), "a refused retry changed something");
    scene.site.command(&["effects", "retry", id, "--may-happen-twice"]);
    until("the payment is paid", || async { (scene.status().await == "succeeded").then_some(()) }).await;
    assert!(effects(&scene).is_empty());
    // The key's answer was given and stays what it was.
    assert_eq!(scene.repeated().await.bytes, last.bytes);
    scene.site.sandbox.assert_charged_once(&scene.payment).await;
    let payment = &scene.payment;
    let expected = vec![
        operation("create_payment", payment, "succeeded"),
        event("payment.created", payment, 1),
        operation("confirm_payment", payment, "accepted"),
        operation("record_charge", payment, "needs_review"),
        event("payment.needs_review", payment, 3),
        operation("retry_effect", payment, "succeeded"),
        operation("record_charge", payment, "succeeded"),
        event("payment.succeeded", payment, 4),
    ];
    assert_recorded(&scene.site, &scene.client, expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_unknown_for_a_day_needs_a_person_who_can_retry_it() {
    on_each_database(check).await;
}
