//! Payments and audit in processes of their own, joined by nothing but the broker.

use std::path::Path;

use florin_conformance::audit::{assert_at_rest, assert_recorded};
use florin_conformance::client::Client;
use florin_conformance::flow;
use florin_conformance::server::Server;
use florin_conformance::site::{Broker, Site};
use florin_testkit::suite::Engine;

/// As many processes of each service.
async fn check(engine: Engine, broker: &Broker, replicas: usize) {
    let Some(site) = Site::new(engine, broker).await else { return };
    let (mut payments, mut audit) = (Vec::new(), Vec::new());
    for number in 0..replicas {
        // The first one keeps its rows where the commands of the site look for them.
        let data = if number == 0 {
            site.data()
        } else {
            site.another_data_directory(&format!("payments-{number}"))
        };
        payments.push(serve(&site, "payments", &data).await);
        audit.push(serve(&site, "audit", &site.another_data_directory(&format!("audit-{number}"))).await);
    }
    let clients: Vec<Client> = payments.iter().map(|server| site.client(server, "acme")).collect();
    let expected = flow::walk(&clients, &site.sandbox).await;
    assert_recorded(&site, &clients[0].at(audit[0].base()), expected.clone()).await;
    clients[0].get("/v1/audit/records").await.expect(404);
    for server in payments.iter_mut().chain(&mut audit) {
        server.stop().await;
    }
    assert_at_rest(&site, &site.rows_at(&site.directory().join("audit-0"), "audit"), expected.len()).await;
}

async fn serve(site: &Site, service: &str, data: &Path) -> Server {
    let (functions, text) = (format!("{service}.*"), data.display().to_string());
    let name = format!("{service}-{}", data.file_name().and_then(|name| name.to_str()).expect("a name"));
    site.serve_with(&name, &[("FLORIN_FUNCTIONS", &functions), ("FLORIN_DATA", &text)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn over_rabbitmq_from_sqlite_each_event_and_operation_is_recorded_once() {
    check(Engine::Sqlite, &Broker::RabbitMq, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_rabbitmq_two_replicas_of_each_service_record_once() {
    check(Engine::Postgres, &Broker::RabbitMq, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_sqs_from_sqlite_each_event_and_operation_is_recorded_once() {
    check(Engine::Sqlite, &Broker::Sqs, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_sqs_two_replicas_of_each_service_record_once() {
    check(Engine::Postgres, &Broker::Sqs, 2).await;
}
