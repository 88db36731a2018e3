//! The broker is away when the process starts, and again later: requests do not notice, and events arrive after.

use florin_conformance::audit::{assert_at_rest, assert_recorded, event, operation};
use florin_conformance::site::{Broker, Site};
use florin_testkit::servers::own_rabbitmq;
use florin_testkit::suite::Engine;
use serde_json::json;

/// A broker that is away, whatever its kind, fails no start and no request.
async fn served_without(broker: &Broker, more: &[(&str, &str)]) {
    let Some(site) = Site::new(Engine::Sqlite, broker).await else { return };
    let mut florin = site.serve_with("florin", more).await;
    let client = site.client(&florin, "acme");
    let body = json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    client.post_once("/v1/payments", "key-1", body).await.expect(201);
    assert_eq!(site.rows("payments").number("SELECT count(*) FROM florin_outbox").await, 4);
    florin.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_is_away_fails_no_start_and_no_request() {
    let nobody = format!("http://127.0.0.1:{}", florin_servers::free_port());
    served_without(&Broker::Http(nobody), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqs_that_is_away_fails_no_start_and_no_request() {
    let nobody = florin_servers::free_port();
    let url = format!("sqs://eu-central-1/florin?endpoint=http://127.0.0.1:{nobody}&create=true&wait_s=1");
    served_without(&Broker::Embedded, &[("FLORIN_QUEUE_URL", &url)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_that_was_away_gets_everything_when_it_is_back() {
    let Some(mut server) = own_rabbitmq() else { return };
    let Some(site) = Site::new(Engine::Sqlite, &Broker::OwnRabbitMq(server.url())).await else { return };
    server.stop();
    let mut florin = site.serve().await;
    let client = site.client(&florin, "acme");
    let pay = async |key: &str| {
        let body =
            json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
        client.post_once("/v1/payments", key, body).await.expect(201).id()
    };
    let first = pay("key-1").await;
    server.resume().expect("RabbitMQ starts");
    let mut expected = Vec::new();
    let mut recorded = async |payment: &str| {
        expected.extend([
            operation("create_payment", payment, "accepted"),
            event("payment.created", payment, 1),
            operation("record_charge", payment, "succeeded"),
            event("payment.succeeded", payment, 2),
        ]);
        assert_recorded(&site, &client, expected.clone()).await;
    };
    recorded(&first).await;
    // An orderly restart, and then a crash, under a process that is connected. (A crash within half a second of a
    // quorum queue's making loses the queue: the broker's own directory of them is written that late.)
    server.stop();
    let second = pay("key-2").await;
    server.resume().expect("RabbitMQ starts");
    recorded(&second).await;
    server.crash();
    let third = pay("key-3").await;
    server.resume().expect("RabbitMQ starts");
    recorded(&third).await;
    florin.stop().await;
    assert_at_rest(&site, &site.rows("audit"), 3 * 4).await;
}
