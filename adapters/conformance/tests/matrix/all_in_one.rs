//! One process that serves everything, with the embedded queue.

use florin_conformance::audit::assert_recorded;
use florin_conformance::flow;
use florin_conformance::site::{Broker, Site};
use florin_testkit::suite::Engine;

async fn check(engine: Engine) {
    let Some(site) = Site::new(engine, &Broker::Embedded).await else { return };
    let mut florin = site.serve().await;
    let client = site.client(&florin, "acme");
    let expected = flow::walk(std::slice::from_ref(&client), &site.sandbox).await;
    assert_recorded(&site, &client, expected).await;
    florin.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_each_event_and_operation_is_recorded_once() {
    check(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_each_event_and_operation_is_recorded_once() {
    check(Engine::Postgres).await;
}
