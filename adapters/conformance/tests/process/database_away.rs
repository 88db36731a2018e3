//! The database is away when the process starts, and again later: it serves 503, and is well by itself afterwards.

use florin_conformance::audit::{assert_recorded, event, operation};
use florin_conformance::client::Reply;
use florin_conformance::site::{Broker, Site};
use florin_conformance::wait::until;
use florin_testkit::servers::own_postgres;
use serde_json::{Value, json};

fn payment() -> Value {
    json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true })
}

fn assert_away(reply: &Reply) {
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(reply.header("retry-after").is_some(), "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_serves_503_and_recovers_by_itself() {
    let Some(mut server) = own_postgres() else { return };
    let Some(site) = Site::on_server(&server.url(), &Broker::Embedded).await else { return };
    server.stop();
    let florin = site.spawn_with("florin", &[]).answers("/livez").await;
    let client = site.client(&florin, "acme");
    assert_eq!(client.get("/readyz").await.status, 503);
    assert_away(&client.get("/v1/payments").await);
    assert_away(&client.post_once("/v1/payments", "key-1", payment()).await);

    server.resume().expect("PostgreSQL starts");
    let mut florin = florin.ready().await;
    let first = client.post_once("/v1/payments", "key-1", payment()).await.expect(201).id();

    // A crash under a process that has connections, each of which is dead afterwards.
    server.crash();
    assert_away(&client.post_once("/v1/payments", "key-2", payment()).await);
    assert_eq!(client.get("/readyz").await.status, 503);
    server.resume().expect("PostgreSQL starts");
    let second = until("a payment goes through", || async {
        let reply = client.post_once("/v1/payments", "key-2", payment()).await;
        (reply.status == 201).then(|| reply.id())
    })
    .await;
    let mut expected = Vec::new();
    for payment in [&first, &second] {
        site.sandbox.assert_charged_once(payment).await;
        expected.extend([
            operation("create_payment", payment, "accepted"),
            event("payment.created", payment, 1),
            operation("record_charge", payment, "succeeded"),
            event("payment.succeeded", payment, 2),
        ]);
    }
    assert_recorded(&site, &client, expected).await;
    florin.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_does_not_fit_is_not_served_when_the_database_is_there() {
    let Some(mut server) = own_postgres() else { return };
    let Some(site) = Site::on_server(&server.url(), &Broker::Embedded).await else { return };
    server.stop();
    // The server's own database, which nobody migrated.
    let settings = [("FLORIN_DATABASE_URL", server.url())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut florin = site.spawn_with("florin", &settings).answers("/livez").await;
    assert_eq!(site.client(&florin, "acme").get("/readyz").await.status, 503);
    server.resume().expect("PostgreSQL starts");
    let status = florin.process().ended().await;
    assert!(!status.success(), "{status}");
    let log = florin.process().log();
    assert!(log.contains("run `florin migrate`"), "{log}");
}
