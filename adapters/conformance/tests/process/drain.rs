//! SIGTERM: what is in flight gets its answer, what is committed is published, and the process ends with 0.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use florin_conformance::card_proxy::{CardProxy, Stop};
use florin_conformance::client::{Client, Outgoing};
use florin_conformance::server::Server;
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, Site};
use florin_conformance::wait::{until, within};
use florin_testkit::suite::Engine;
use http::Method;
use serde_json::json;

struct Scene {
    site: Site,
    sink: Sink,
    card: CardProxy,
    florin: Server,
    client: Client,
}

async fn scene(engine: Engine, settings: &[(&str, &str)]) -> Option<Scene> {
    let sink = Sink::keeping().await;
    let mut site = Site::new(engine, &Broker::Http(sink.base().to_owned())).await?;
    let card = CardProxy::start(site.sandbox.base()).await;
    site.set("FLORIN_CARD_URL", card.base());
    let florin = site.serve_with("florin", settings).await;
    let client = site.client(&florin, "acme");
    Some(Scene { site, sink, card, florin, client })
}

/// SIGTERM while the provider has charged and not answered.
async fn check(engine: Engine) {
    let Some(mut scene) = scene(engine, &[]).await else { return };
    let mut stopped = scene.card.stop_next(Stop::Answer);
    let client = scene.client.clone();
    let body = json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    let paying = tokio::spawn(async move { client.post_once("/v1/payments", "key-1", body).await });
    stopped.reached().await;
    scene.florin.process().terminate();
    let client = scene.client.clone();
    until("nobody is let in", || async {
        let knocked = client.send(Method::GET, "/livez", Outgoing::default()).await;
        knocked.is_err_and(|error| error.is_connect()).then_some(())
    })
    .await;
    stopped.go();
    let answer = within("the answer", paying).await.expect("a task").expect(201);
    assert_eq!(answer.body["status"], "succeeded");
    let status = scene.florin.process().ended().await;
    assert!(status.success(), "{status}");
    let mut kinds: Vec<String> = scene.sink.taken().await.into_iter().map(|event| event.kind).collect();
    kinds.sort();
    let operation = "florin.audit.operation.v1";
    assert_eq!(kinds, [operation, operation, "florin.payment.created.v1", "florin.payment.succeeded.v1"]);
    assert_eq!(scene.site.unpublished(), 0);
    scene.site.sandbox.assert_charged_once(&answer.id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirm_in_flight_finishes_on_sqlite() {
    check(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirm_in_flight_finishes_on_postgresql() {
    check(Engine::Postgres).await;
}

/// The provider lives in the process that ends: it must outlast the effects that still want it.
#[tokio::test(flavor = "multi_thread")]
async fn the_all_in_one_gives_a_final_answer_to_everything_it_took() {
    let Some(mut site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    site.set("FLORIN_CARD_URL", "sandbox");
    let mut florin = site.serve().await;
    let client = site.client(&florin, "acme");
    let paid = Arc::new(AtomicUsize::new(0));
    let payers: Vec<_> =
        (0..8).map(|payer| tokio::spawn(pay(client.clone(), payer, Arc::clone(&paid)))).collect();
    until("a morning under way", || async { (paid.load(Ordering::Relaxed) >= 40).then_some(()) }).await;
    florin.process().terminate();
    for payer in payers {
        let statuses = within("a payer's end", payer).await.expect("a task");
        assert!(statuses.iter().all(|status| *status == 201), "{statuses:?}");
    }
    let status = florin.process().ended().await;
    assert!(status.success(), "{status}");
    assert_eq!(site.unpublished(), 0);
}

/// Pays until nobody is let in; the statuses of the answers.
async fn pay(client: Client, payer: usize, paid: Arc<AtomicUsize>) -> Vec<u16> {
    let body = json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    let mut statuses = Vec::new();
    loop {
        let key = format!("key-{payer}-{}", statuses.len());
        match client.try_post_once("/v1/payments", &key, body.clone()).await {
            Ok(reply) => statuses.push(reply.status),
            Err(_) => return statuses,
        }
        paid.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_linger_readiness_goes_first_and_requests_are_served_on() {
    let Some(mut scene) = scene(Engine::Sqlite, &[("FLORIN_DRAIN_LINGER_MS", "3000")]).await else { return };
    scene.florin.process().terminate();
    let client = scene.client.clone();
    until("it is not ready", || async { (client.get("/readyz").await.status == 503).then_some(()) }).await;
    client.post("/v1/payments", json!({ "amount": 100, "currency": "EUR" })).await.expect(201);
    let status = scene.florin.process().ended().await;
    assert!(status.success(), "{status}");
    assert_eq!(scene.sink.taken().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let Some(mut scene) = scene(Engine::Sqlite, &[]).await else { return };
    let mut stopped = scene.card.stop_next(Stop::Request);
    let client = scene.client.clone();
    let body = json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    let paying = tokio::spawn(async move { client.try_post_once("/v1/payments", "key-1", body).await });
    stopped.reached().await;
    scene.florin.process().terminate();
    let client = scene.client.clone();
    until("the first signal is heard", || async {
        client.send(Method::GET, "/livez", Outgoing::default()).await.is_err().then_some(())
    })
    .await;
    scene.florin.process().terminate();
    let status = scene.florin.process().ended().await;
    assert_eq!(status.code(), Some(130));
    assert!(paying.await.expect("a task").is_err());
}
