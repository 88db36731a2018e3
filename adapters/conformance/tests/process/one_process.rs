//! One serving process for each data directory; other commands may join it.

use florin_conformance::process;
use florin_conformance::site::{Broker, Site};
use florin_testkit::suite::Engine;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_one_on_the_same_data_directory_is_told_why_it_cannot() {
    let Some(site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    let mut florin = site.serve().await;
    let settings = [("FLORIN_LISTEN", "127.0.0.1:0")];
    let second = process::run(&["serve"], &site.environment_with(&settings), site.directory());
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    let data = site.data().display().to_string();
    assert!(said.contains(&data), "it names the directory: {said}");
    assert!(said.lines().count() <= 2, "it says it in a sentence: {said}");
    // The first one goes on, and when it is gone, killed or not, the next one may serve.
    let client = site.client(&florin, "acme");
    client.post("/v1/payments", json!({ "amount": 1, "currency": "EUR" })).await.expect(201);
    florin.kill();
    site.serve_with("second", &[]).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_database_has_one_process_also_when_the_queue_is_elsewhere() {
    let nobody = format!("http://127.0.0.1:{}", florin_servers::free_port());
    let Some(site) = Site::new(Engine::Sqlite, &Broker::Http(nobody)).await else { return };
    let _payments = site.serve_with("payments", &[("FLORIN_FUNCTIONS", "payments.*")]).await;
    let settings = [("FLORIN_LISTEN", "127.0.0.1:0"), ("FLORIN_FUNCTIONS", "audit.*")];
    let second = process::run(&["serve"], &site.environment_with(&settings), site.directory());
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains(&site.data().display().to_string()), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named() {
    let Some(site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    let florin = site.serve().await;
    let address = florin.base().trim_start_matches("http://");
    let data = site.directory().join("data-2").display().to_string();
    let settings = [("FLORIN_LISTEN", address), ("FLORIN_DATA", &data)];
    let second = process::run(&[], &site.environment_with(&settings), site.directory());
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains(address), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn token_prints_a_token_and_nothing_else() {
    let Some(site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    let florin = site.serve().await;
    let arguments =
        ["token", "--tenant", "acme", "--scope", "payments:read", "--subject", "ann", "--ttl", "1h"];
    let printed = process::run(&arguments, &site.environment(), site.directory());
    assert!(printed.status.success());
    assert_eq!(String::from_utf8_lossy(&printed.stderr), "");
    let token = String::from_utf8(printed.stdout).expect("text");
    let token = token.strip_suffix('\n').expect("one line");
    assert_eq!(token.split('.').count(), 3, "{token}");
    assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)), "{token}");
    let ann = florin_conformance::client::Client::new(florin.base(), Some(token.to_owned()));
    ann.get("/v1/payments").await.expect(200);
    let refused = ann.post("/v1/payments", json!({ "amount": 1, "currency": "EUR" })).await.expect(403);
    assert_eq!(refused.body["scope"], "payments:write");
}

#[tokio::test(flavor = "multi_thread")]
async fn token_refuses_a_scope_that_no_operation_asks_for() {
    let Some(site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    for (scopes, unknown) in [("payments:read payment:write", "payment:write"), (" ", "\"\"")] {
        let arguments = ["token", "--tenant", "acme", "--scope", scopes];
        let printed = process::run(&arguments, &site.environment(), site.directory());
        assert!(!printed.status.success());
        assert_eq!(String::from_utf8_lossy(&printed.stdout), "");
        let said = String::from_utf8_lossy(&printed.stderr);
        assert!(said.contains(&format!("{unknown}; there are audit:read, payments:read")), "{said}");
    }
}
