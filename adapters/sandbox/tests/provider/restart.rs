//! What was charged stays charged.

use florin_kernel::time::Clock;
use florin_sandbox::{Sandbox, SandboxConfig};
use serde_json::json;

use crate::provider::Provider;

#[tokio::test]
async fn a_restart_keeps_charges_records_and_keys() {
    let provider = Provider::start().await;
    let first = provider.charge("k", "pm_card_visa", false).await;
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let capture = format!("/v1/charges/{id}/capture");
    provider.send(&capture, "c", json!({ "amount": 600, "final": false })).await.done();
    let error = provider.charge("e", "pm_card_error_before_charge", true).await;
    assert_eq!(error.status, 503);
    let (state, records) = (provider.state(&id).await, provider.records("k").await);
    let summary = provider.get("/v1/records/summary").await;

    let provider = provider.restart().await;
    assert_eq!(provider.state(&id).await, state);
    assert_eq!(provider.records("k").await, records);
    assert_eq!(provider.get("/v1/records/summary").await, summary);
    let again = provider.charge("k", "pm_card_visa", false).await;
    assert_eq!((again.text, again.replayed), (first.text, true));
    provider.send(&capture, "c", json!({ "amount": 600, "final": false })).await.done();
    assert_eq!(provider.state(&id).await["amount_captured"], 600);
    // The key had its error before the restart.
    assert_eq!(provider.charge("e", "pm_card_error_before_charge", true).await.status, 200);
    provider.stop().await;
}

#[tokio::test]
async fn its_store_is_a_sqlite_file_and_nothing_else() {
    for address in ["postgres://localhost/sandbox", "sandbox.db", ""] {
        let opened = Sandbox::open(address, SandboxConfig::default(), Clock::System).await;
        assert!(opened.is_err(), "{address} was opened");
    }
}
