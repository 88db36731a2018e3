//! Payments and audit in processes of their own, joined by nothing but the broker.

use florin_conformance::audit::assert_recorded;
use florin_conformance::client::Client;
use florin_conformance::flow;
use florin_conformance::server::Server;
use florin_conformance::site::{Broker, Site};
use florin_testkit::suite::Engine;

use crate::another_data_directory;

/// As many processes of each service.
async fn check(engine: Engine, broker: &Broker, replicas: usize) {
    let Some(site) = Site::new(engine, broker).await else { return };
    let mut payments = replicas_of(&site, "payments", replicas).await;
    let mut audit = replicas_of(&site, "audit", replicas).await;
    let clients: Vec<Client> = payments.iter().map(|server| site.client(server, "acme")).collect();
    let expected = flow::walk(&clients, &site.sandbox).await;
    assert_recorded(&site, &clients[0].at(audit[0].base()), expected).await;
    clients[0].get("/v1/audit/records").await.expect(404);
    for server in payments.iter_mut().chain(&mut audit) {
        server.stop().await;
    }
}

async fn replicas_of(site: &Site, service: &str, replicas: usize) -> Vec<Server> {
    let functions = format!("{service}.*");
    let mut servers = Vec::new();
    for number in 0..replicas {
        let name = format!("{service}-{number}");
        let data = another_data_directory(site, &name);
        let settings = [("FLORIN_FUNCTIONS", functions.as_str()), ("FLORIN_DATA", data.as_str())];
        servers.push(site.serve_with(&name, &settings).await);
    }
    servers
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
