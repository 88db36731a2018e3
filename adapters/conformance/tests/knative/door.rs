//! The guarded door: CloudEvents in each mode over each protocol, by secret or by the platform's token; ticks.

use axum::Router;
use axum::routing::get;
use florin_conformance::issuer::Issuer;
use florin_conformance::site::DELIVERY_SECRET;
use florin_queue::cloudevents::{encode_http_batched, encode_http_binary, encode_http_structured};
use florin_testkit::suite::Engine;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{AUDIT, Knative, paid, push};

#[tokio::test(flavor = "multi_thread")]
async fn every_mode_is_taken_over_every_protocol_and_recorded_once() {
    let Some(knative) = Knative::start(Engine::Sqlite).await else { return };
    let platform = knative.bearer(DELIVERY_SECRET);
    for (protocol, platform) in [("h1", platform.clone()), ("h2c", platform.over_h2c())] {
        let event = |mode: &str| paid(&format!("evt-{protocol}-{mode}"));
        let binary = encode_http_binary(&event("binary")).expect("an event");
        assert_eq!(push(&platform, AUDIT, binary.clone()).await.status, 202);
        // Again: a broker that did not hear the answer.
        assert_eq!(push(&platform, AUDIT, binary).await.status, 202);
        let structured = encode_http_structured(&event("structured")).expect("an event");
        assert_eq!(push(&platform, AUDIT, structured).await.status, 202);
        let batch = [event("binary"), event("batch-1"), event("batch-2")];
        assert_eq!(push(&platform, AUDIT, encode_http_batched(&batch).expect("events")).await.status, 202);
    }
    assert_eq!(knative.recorded().await, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_own_token_opens_it_and_a_customers_does_not() {
    let issuer = Issuer::new();
    let jwks = issuer.jwks();
    let settings = [
        ("FLORIN_ISSUER", issuer.name.as_str()),
        ("FLORIN_JWKS", jwks.as_str()),
        ("FLORIN_AUDIENCE", "florin"),
        ("FLORIN_DELIVERY_AUDIENCE", "florin-deliveries"),
        ("FLORIN_PUBLIC_URL", "https://pay.example"),
    ];
    let Some(knative) = Knative::with(Engine::Sqlite, &settings).await else { return };
    let customer = issuer.token("florin", &json!({ "tenant": "acme", "scope": "audit:read payments:write" }));
    let event = || encode_http_binary(&paid("evt-1")).expect("an event");
    assert_eq!(push(&knative.bearer(&customer), AUDIT, event()).await.status, 401);
    let stranger = Issuer::new().token("florin-deliveries", &json!({}));
    assert_eq!(push(&knative.bearer(&stranger), AUDIT, event()).await.status, 401);

    // A service account's token, as Knative Eventing sends it: it names no tenant and no scope.
    let platform = knative.bearer(&issuer.token("florin-deliveries", &json!({})));
    assert_eq!(push(&platform, AUDIT, event()).await.status, 202);
    // It opens this door and no other.
    platform.get("/v1/audit/records").await.expect(401);
    let records = knative.bearer(&customer).get("/v1/audit/records").await.expect(200);
    assert_eq!(records.body["data"].as_array().map(Vec::len), Some(1), "{records:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_the_clusters_tokens_are_found_where_its_issuer_says() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let mut issuer = Issuer::new();
    issuer.name = format!("http://{}", listener.local_addr().expect("an address"));
    let (keys, uri) = (issuer.jwks(), format!("{}/keys", issuer.name));
    let metadata = json!({ "issuer": issuer.name, "jwks_uri": uri }).to_string();
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(|| async { metadata }))
        .route("/keys", get(|| async { keys }));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let settings = [
        ("FLORIN_ISSUER", issuer.name.as_str()),
        ("FLORIN_DELIVERY_AUDIENCE", "florin-deliveries"),
        ("FLORIN_PUBLIC_URL", "https://pay.example"),
    ];
    let Some(knative) = Knative::with(Engine::Sqlite, &settings).await else { return };
    let event = || encode_http_binary(&paid("evt-1")).expect("an event");
    let platform = knative.bearer(&issuer.token("florin-deliveries", &json!({})));
    assert_eq!(push(&platform, AUDIT, event()).await.status, 202);
    let mut forger = Issuer::new();
    forger.name.clone_from(&issuer.name);
    let forged = forger.token("florin-deliveries", &json!({}));
    assert_eq!(push(&knative.bearer(&forged), AUDIT, event()).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_issuers_keys_are_away_the_broker_is_told_to_come_again() {
    let issuer = Issuer::new();
    let nobody = format!("http://127.0.0.1:{}/jwks", florin_servers::free_port());
    let settings = [
        ("FLORIN_ISSUER", issuer.name.as_str()),
        ("FLORIN_JWKS_URL", nobody.as_str()),
        ("FLORIN_DELIVERY_AUDIENCE", "florin-deliveries"),
        ("FLORIN_PUBLIC_URL", "https://pay.example"),
    ];
    let Some(knative) = Knative::with(Engine::Sqlite, &settings).await else { return };
    let platform = knative.bearer(&issuer.token("florin-deliveries", &json!({})));
    let event = encode_http_binary(&paid("evt-1")).expect("an event");
    assert_eq!(push(&platform, AUDIT, event).await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_can_never_be_recorded_is_a_dead_letter_and_taken() {
    let Some(knative) = Knative::start(Engine::Sqlite).await else { return };
    let mut nobodys = paid("evt-1");
    nobodys.extensions.remove("tenant");
    let pushed = encode_http_structured(&nobodys).expect("an event");
    assert_eq!(push(&knative.bearer(DELIVERY_SECRET), AUDIT, pushed).await.status, 202);
    let letters = knative.site.command(&["dead-letters", "list"]);
    assert!(letters.contains("tenant_missing") && letters.contains("evt-1"), "{letters}");
    assert_eq!(knative.recorded().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_guard_there_is_no_door() {
    let Some(knative) = Knative::with(Engine::Sqlite, &[]).await else { return };
    let event = encode_http_binary(&paid("evt-1")).expect("an event");
    assert_eq!(push(&knative.bearer(DELIVERY_SECRET), AUDIT, event).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_or_for_nobody_is_refused() {
    let Some(knative) = Knative::start(Engine::Sqlite).await else { return };
    let platform = knative.bearer(DELIVERY_SECRET);
    let event = || encode_http_structured(&paid("evt-1")).expect("an event");
    assert_eq!(push(&platform, "/_deliver/audit.record_events", event()).await.status, 404);
    assert_eq!(push(&platform, "/_deliver/payments.capture_payment", event()).await.status, 404);
    let (headers, _) = event();
    let broken = push(&platform, AUDIT, (headers, b"{\"specversion\":\"1.0\"}".to_vec())).await;
    assert_eq!((broken.status, broken.code()), (400, "invalid_request"), "{broken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_hears_of_what_is_no_event_because_no_broker_brings_it_again() {
    let Some(mut knative) = Knative::start(Engine::Sqlite).await else { return };
    let (headers, _) = encode_http_binary(&paid("evt-broken")).expect("an event");
    let broken = push(&knative.bearer(DELIVERY_SECRET), AUDIT, (headers, b"{\"payment\":".to_vec())).await;
    assert_eq!(broken.status, 400, "{broken:?}");
    let log = knative.florin.process().log();
    let line = log.lines().find(|line| line.contains("evt-broken")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("audit.record_event") && line.to_lowercase().contains("error"), "{line}");
}
