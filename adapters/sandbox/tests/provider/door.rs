//! Who may come in, and what is said when the way is wrong.

use florin_sandbox::SandboxConfig;
use serde_json::json;

use crate::provider::{Provider, a_charge, read};

#[tokio::test]
async fn with_an_api_key_nobody_charges_or_looks_without_it() {
    let api_key = Some("sandbox-key".to_owned());
    let provider = Provider::with(SandboxConfig { api_key, ..SandboxConfig::default() }).await;
    let body = a_charge("order", "pm_card_authentication_required", true);
    let charge = || provider.post("/v1/charges", "k", &body);
    let summary = || provider.http.get(format!("{}/v1/records/summary", provider.base));
    for request in [
        charge(),
        charge().bearer_auth("sandbox-keys"),
        charge().bearer_auth(""),
        charge().basic_auth("sandbox-key", Some("sandbox-key")),
        charge().header("authorization", "sandbox-key"),
        summary(),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
    }
    let charged = read(charge().bearer_auth("sandbox-key")).await.done();
    let found = read(summary().bearer_auth("sandbox-key")).await.done();
    assert_eq!(found["requests"]["requests"], 1, "a request without the key was counted: {found}");
    // The cardholder has no key.
    let page = provider.http.get(charged["action_url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(page.status(), 200);
    provider.stop().await;
}

#[tokio::test]
async fn every_no_has_a_code() {
    let provider = Provider::start().await;
    let to = |path: &str| format!("{}{path}", provider.base);
    let keyed =
        |body: &'static str| provider.http.post(to("/v1/charges")).header("idempotency-key", "k").body(body);
    for (request, status, code) in [
        (provider.http.get(to("/v2")), 404, "not_found"),
        (provider.http.delete(to("/v1/charges")), 405, "method_not_allowed"),
        (keyed("{"), 400, "invalid_request"),
        (keyed("[]"), 400, "invalid_request"),
        (keyed(r#"{"amount": 1, "amount": 1}"#), 400, "invalid_request"),
        (keyed("").body(vec![b' '; 70_000]), 413, "body_too_large"),
    ] {
        assert_eq!(read(request).await.refusal(), (status, code.into()));
    }
    provider.stop().await;
}

#[tokio::test]
async fn a_host_that_is_none_makes_no_action_url() {
    let provider = Provider::start().await;
    let body = a_charge("order", "pm_card_authentication_required", true);
    for host in ["a b", "user@bank.example", "\"><script>", "x/../y"] {
        let answer = read(provider.post("/v1/charges", "k", &body).header("host", host)).await;
        assert_eq!(answer.refusal(), (400, "invalid_request".into()), "{host}");
    }
    provider.stop().await;
}

#[tokio::test]
async fn while_its_store_is_away_nothing_is_charged_and_the_client_may_try_again() {
    let provider = Provider::start().await;
    let id = provider.charged("k", true).await;
    provider.sandbox.close().await;
    let body = json!({ "charge": id, "amount": 1 });
    let response = provider.post("/v1/refunds", "r", &body).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    let answer = provider.get(&format!("/v1/charges/{id}")).await;
    assert_eq!(answer.refusal(), (503, "unavailable".into()));
    provider.stop().await;
}

#[tokio::test]
async fn it_works_below_a_prefix() {
    use axum::Router;
    use florin_kernel::time::Clock;
    use florin_sandbox::Sandbox;

    let scratch = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/sandbox", listener.local_addr().unwrap());
    let config = SandboxConfig { public_base: Some(base.clone()), ..SandboxConfig::default() };
    let sandbox =
        Sandbox::open(&crate::provider::address(scratch.path()), config, Clock::System).await.unwrap();
    let app = Router::new().nest("/sandbox", sandbox.router());
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let charge =
        read(http.post(format!("{base}/v1/charges")).header("idempotency-key", "k").json(&a_charge(
            "order",
            "pm_card_authentication_required",
            true,
        )))
        .await
        .done();
    let action_url = charge["action_url"].as_str().unwrap();
    let page = read(http.post(action_url).form(&[("decision", "approve")])).await;
    assert!(page.text.contains("was approved"), "{}", page.text);
    let lost = read(http.get(format!("{base}/v1/nothing"))).await;
    assert_eq!(lost.refusal(), (404, "not_found".into()));
    serving.abort();
}
