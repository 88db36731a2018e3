//! Between requests nothing runs: the platform takes the processor away. What is due is done when a tick comes.

use florin_conformance::client::{Outgoing, Reply};
use florin_conformance::server::Server;
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, DELIVERY_SECRET, Site};
use florin_testkit::suite::Engine;
use http::Method;
use serde_json::json;

use crate::Knative;

/// A tick as Knative's PingSource sends it.
async fn tick(knative: &Knative, job: &str, id: &str) -> Reply {
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-type", "dev.knative.sources.ping"),
        ("ce-source", "/apis/v1/namespaces/florin/pingsources/sweep"),
        ("ce-id", id),
        ("content-type", "application/json"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let outgoing = Outgoing { headers, body: b"{}".to_vec() };
    let platform = knative.bearer(DELIVERY_SECRET);
    platform.send(Method::POST, &format!("/_deliver/{job}"), outgoing).await.expect("an answer")
}

/// A container of its own, whose effects fail at first and are finished by its sweep.
async fn a_container_sweeps_twice() {
    let site = Site::new(Engine::Sqlite, &Broker::Embedded).await.expect("SQLite is always there");
    let florin = site.serve().await;
    let client = site.client(&florin, "acme");
    for key in ["key-1", "key-2"] {
        let method = "pm_card_error_before_charge";
        let body = json!({ "amount": 100, "currency": "EUR", "payment_method": method, "confirm": true });
        let paid = client.post_once("/v1/payments", key, body).await.expect(201);
        assert_eq!(paid.body["status"], "succeeded", "{paid:?}");
    }
    let attempts = site.rows("payments").number("SELECT min(attempts) FROM florin_effects").await;
    assert_eq!(attempts, 2, "the sweep came to each of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_due_effect_waits_for_the_tick_of_the_sweep() {
    let Some(knative) = Knative::start(Engine::Sqlite).await else { return };
    let rows = knative.site.rows("payments");
    let body = json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa" });
    let payment = knative.client.post_once("/v1/payments", "key-1", body).await.expect(201).id();
    // The provider says 503 to the first request of the key, so the effect comes again after a second.
    let confirm = json!({ "payment_method": "pm_card_error_before_charge" });
    let path = format!("/v1/payments/{payment}/confirm");
    let confirming = {
        let (client, path) = (knative.client.clone(), path.clone());
        tokio::spawn(async move { client.post_once(&path, "key-2", confirm).await })
    };
    let due = "SELECT count(*) FROM florin_effects WHERE state = 'wanted' AND last_error IS NOT NULL";
    florin_conformance::wait::until("the provider has refused", || async {
        (rows.number(due).await == 1).then_some(())
    })
    .await;
    rows.end_leases().await;
    // There is no sign of what does not happen. But a process that polls gives one: what its sweep has finished twice
    // meanwhile, a sweep here would have finished as well.
    a_container_sweeps_twice().await;
    assert_eq!(rows.number("SELECT attempts FROM florin_effects").await, 1);

    assert_eq!(tick(&knative, "payments.sweep", "tick-1").await.status, 202);
    let answer = confirming.await.expect("a task").expect(200);
    assert_eq!(answer.body["status"], "succeeded");
    knative.site.sandbox.assert_charged_once(&payment).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_of_a_job_runs_it_and_events_are_published_without_a_poller() {
    let Some(knative) = Knative::start(Engine::Postgres).await else { return };
    let body = json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    knative.client.post_once("/v1/payments", "key-1", body).await.expect(201);
    florin_conformance::wait::until("the commit wakes the relay", || async {
        (knative.sink.taken().await.len() == 4).then_some(())
    })
    .await;
    assert_eq!(tick(&knative, "payments.expire_authorizations", "tick-1").await.status, 202);
    assert_eq!(tick(&knative, "payments.purge", "tick-2").await.status, 202);
    let slots = "SELECT count(*) FROM florin_inbox WHERE function = 'payments.expire_authorizations'";
    assert_eq!(knative.site.rows("payments").number(slots).await, 1);
    assert_eq!(tick(&knative, "payments.no_such_job", "tick-3").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_to_the_sink_that_the_platform_binds() {
    let sink = Sink::keeping().await;
    let Some(site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    let settings = [("FLORIN_DEV", "1"), ("K_SINK", sink.base())];
    let environment = site.environment_with(&settings);
    let florin = Server::spawn_on_knative("florin", environment, site.directory()).ready().await;
    let client = site.client(&florin, "acme");
    client.post_once("/v1/payments", "key-1", json!({ "amount": 1, "currency": "EUR" })).await.expect(201);
    florin_conformance::wait::until("the events are there", || async {
        (sink.taken().await.len() == 2).then_some(())
    })
    .await;
}
