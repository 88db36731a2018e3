//! Where requests go is the deployment's to say, and not the environment's.

#![expect(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests, not what they share")]

use std::collections::HashMap;
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use florin_http::network::{HttpNetwork, Peer};
use florin_http::token::{KeySource, TokenRules, TokenTypes, Verifier};
use florin_kernel::network::{Body, Network, Outgoing, Request};
use florin_kernel::time::Clock;

/// The public key of RFC 8037, appendix A.2.
const KEYS: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "one",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// A server on this machine; its address.
async fn server(answer: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(move || async move { answer }));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

#[tokio::test]
async fn a_peer_is_asked_where_it_is() {
    let peer = Peer { base: server("here").await, credential: Some("secret".to_owned()) };
    let network = HttpNetwork::new(HashMap::from([("card", peer)]), "http://florin.test").unwrap();
    let request = Request { method: "GET", path: "/".to_owned(), headers: Vec::new(), body: Body::Empty };
    let timeout = Duration::from_secs(5);
    let outgoing = Outgoing { peer: "card", request, key: "k".to_owned(), traceparent: None, timeout };
    assert_eq!(network.send(outgoing).await.unwrap().body, b"here");
}

#[tokio::test]
async fn keys_are_fetched_where_they_are() {
    let url = format!("{}/", server(KEYS).await).parse().unwrap();
    let rules = TokenRules {
        issuer: "https://issuer.example".to_owned(),
        audience: vec!["florin".to_owned()],
        leeway: Duration::ZERO,
        types: TokenTypes::default(),
        keys: KeySource::Remote { url, plain_http: false },
    };
    let now = Clock::standing_at("2026-01-31T12:00:00Z".parse().unwrap()).now();
    Verifier::new(rules).unwrap().warm(now).await.unwrap();
}

#[test]
fn no_proxy_of_the_environment_is_asked_for_peers_or_keys() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    // The tests above, in a process of their own, with an environment of its own.
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_peer_is_asked_where_it_is", "keys_are_fetched_where_they_are"])
        .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, &address)))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("2 passed"), "{said}");
    assert!(proxy.accept().is_err(), "something asked the proxy");
}
