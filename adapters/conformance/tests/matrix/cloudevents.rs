//! Payments publish CloudEvents over HTTP; a broker pushes them to the guarded door of audit, in each mode.

use florin_conformance::audit::assert_recorded;
use florin_conformance::client::Client;
use florin_conformance::flow;
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, DELIVERY_SECRET, Site};
use florin_queue::cloudevents::Mode;
use florin_testkit::suite::Engine;

async fn check(engine: Engine, mode: Mode, replicas: usize) {
    let sink = Sink::start(mode).await;
    let Some(site) = Site::new(engine, &Broker::Http(sink.base().to_owned())).await else { return };
    let (mut payments, mut audit) = (Vec::new(), Vec::new());
    for number in 0..replicas {
        let settings = [("FLORIN_FUNCTIONS", "payments.*")];
        payments.push(site.serve_with(&format!("payments-{number}"), &settings).await);
        let name = format!("audit-{number}");
        let data = site.another_data_directory(&name).display().to_string();
        let settings = [
            ("FLORIN_FUNCTIONS", "audit.*"),
            ("FLORIN_DELIVERY_SECRET", DELIVERY_SECRET),
            ("FLORIN_DATA", data.as_str()),
        ];
        audit.push(site.serve_with(&name, &settings).await);
        sink.push_to(audit[number].base(), "audit.record_event").await;
    }
    let clients: Vec<Client> = payments.iter().map(|server| site.client(server, "acme")).collect();
    let expected = flow::walk(&clients, &site.sandbox).await;
    assert_recorded(&site, &clients[0].at(audit[0].base()), expected).await;
    for server in payments.iter_mut().chain(&mut audit) {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_binary_mode_from_sqlite_each_event_and_operation_is_recorded_once() {
    check(Engine::Sqlite, Mode::Binary, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_binary_mode_two_replicas_of_each_service_record_once() {
    check(Engine::Postgres, Mode::Binary, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_structured_mode_each_event_and_operation_is_recorded_once() {
    check(Engine::Sqlite, Mode::Structured, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_batches_that_repeat_events_each_event_and_operation_is_recorded_once() {
    check(Engine::Sqlite, Mode::Batched, 1).await;
}
