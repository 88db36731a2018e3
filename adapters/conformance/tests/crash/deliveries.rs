//! Killed between a commit and what follows it: events that wait in the outbox, and deliveries that are not
//! acknowledged yet. They come again, and stand once.

use florin_conformance::audit::{assert_at_rest, assert_recorded, event, operation};
use florin_conformance::client::Client;
use florin_conformance::commit_proxy::{CommitProxy, Fate};
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, DELIVERY_SECRET, Site};
use florin_queue::cloudevents::Mode;
use florin_testkit::suite::{Database, Engine};
use serde_json::json;

use crate::on_each_database;

/// A payment, and what has to be recorded of it.
async fn pay(client: &Client) -> Vec<String> {
    let body = json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    let payment = client.post_once("/v1/payments", "key-1", body).await.expect(201).id();
    vec![
        operation("create_payment", &payment, "accepted"),
        event("payment.created", &payment, 1),
        operation("record_charge", &payment, "succeeded"),
        event("payment.succeeded", &payment, 2),
    ]
}

async fn unpublished(engine: Engine) {
    // It confirms nothing as long as it has no door to push to.
    let sink = Sink::start(Mode::Binary).await;
    let Some(site) = Site::new(engine, &Broker::Http(sink.base().to_owned())).await else { return };
    let settings = [("FLORIN_DELIVERY_SECRET", DELIVERY_SECRET)];
    let mut florin = site.serve_with("florin", &settings).await;
    let client = site.client(&florin, "acme");
    let expected = pay(&client).await;
    florin.kill();
    assert_eq!(site.unpublished(), 4);
    let florin = florin.again().await;
    sink.push_to(florin.base(), "audit.record_event").await;
    // What the killed relay had claimed is due when its lease ends.
    site.rows("payments").end_claims().await;
    assert_recorded(&site, &client, expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_a_killed_process_had_not_published_are_published_by_the_next() {
    on_each_database(unpublished).await;
}

/// Killed when the consumer's COMMIT is on its way, or made and not acknowledged to the broker.
async fn unacknowledged(broker: &Broker, fate: Fate) {
    let Some(mut site) = Site::new(Engine::Postgres, broker).await else { return };
    let Database::Postgres { login, .. } = site.database.clone() else { panic!("this is PostgreSQL") };
    let commits = CommitProxy::start(&login).await;
    site.set("FLORIN_DATABASE_URL", commits.through(&login));
    let mut florin = site.serve().await;
    let client = site.client(&florin, "acme");
    // The inbox row of the delivery names the function.
    let held = commits.next_commit_of("audit.record_event", fate);
    let expected = pay(&client).await;
    held.met().await;
    florin.kill();
    let recorded = site.rows("audit").number("SELECT count(*) FROM audit_records").await;
    assert!(recorded < 4 || fate == Fate::HeldAfter, "{recorded} of 4 are recorded already");
    let mut florin = florin.again().await;
    site.rows("payments").end_claims().await;
    assert_recorded(&site, &client, expected.clone()).await;
    florin.stop().await;
    assert_at_rest(&site, &site.rows("audit"), expected.len()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_of_the_embedded_queue_that_was_not_committed_comes_again() {
    unacknowledged(&Broker::Embedded, Fate::HeldBefore).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_of_the_embedded_queue_that_was_committed_is_a_duplicate() {
    unacknowledged(&Broker::Embedded, Fate::HeldAfter).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_of_rabbitmq_that_was_not_committed_comes_again() {
    unacknowledged(&Broker::RabbitMq, Fate::HeldBefore).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_of_rabbitmq_that_was_committed_is_a_duplicate() {
    unacknowledged(&Broker::RabbitMq, Fate::HeldAfter).await;
}
