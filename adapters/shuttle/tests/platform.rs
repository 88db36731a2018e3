//! The real program against a stand-in of the platform's API.
#![expect(clippy::unwrap_used, reason = "a test whose scene cannot be set has failed")]

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use axum::extract::Path as Segment;
use axum::routing::get;
use axum::{Json, Router};
use florin_host::services::SERVICES;
use florin_http::token::DevelopmentKey;
use florin_kernel::catalog;
use florin_kernel::time::Clock;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// What the platform answers when it is asked for the secrets of a project (shuttle-api-client 0.57, `get_secrets`).
async fn platform(secrets: Value) -> String {
    let answer = json!({ "type": "secrets", "state": "ready", "config": null, "output": secrets });
    let routes = Router::new().route(
        "/projects/{project}/resources/secrets",
        get(move |Segment(project): Segment<String>| async move {
            assert_eq!(project, "proj_florin");
            Json(answer)
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

/// The program, started as the platform starts it.
fn start(api: &str, port: u16) -> Child {
    let mut program = Command::new(env!("CARGO_BIN_EXE_florin-shuttle"));
    program.env_clear().stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    program.env("SHUTTLE_PROJECT_ID", "proj_florin").env("SHUTTLE_PROJECT_NAME", "florin");
    program.env("SHUTTLE_ENV", "production").env("SHUTTLE_RUNTIME_IP", "127.0.0.1");
    program.env("SHUTTLE_RUNTIME_PORT", port.to_string()).env("SHUTTLE_API", api);
    program.spawn().unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The answer to a request once the program answers it as wanted; a program that ends, or does not get there, is an error.
async fn answer(
    program: &mut Child,
    address: &str,
    token: &str,
    wanted: impl Fn(StatusCode, &Value) -> bool,
) -> Value {
    let customer = reqwest::Client::new();
    for _ in 0..600 {
        assert!(program.try_wait().unwrap().is_none(), "it ended");
        if let Ok(answer) = customer.get(address).bearer_auth(token).send().await {
            let status = answer.status();
            let body = answer.json().await.unwrap_or(Value::Null);
            if wanted(status, &body) {
                return body;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{address} does not answer as wanted");
}

fn token(data: &Path) -> String {
    let key = DevelopmentKey::load_or_create(&data.join("development-key.json")).unwrap();
    let scopes = ["payments:read", "payments:write", "audit:read"].map(str::to_owned).into();
    key.sign("customer", &"demo".parse().unwrap(), &scopes, Duration::from_secs(600), Clock::System.now())
}

#[tokio::test]
async fn the_runtime_serves_the_suite_and_what_was_paid_survives_its_end() {
    let data = tempfile::tempdir().unwrap();
    let api =
        platform(json!({ "FLORIN_DATA": data.path(), "FLORIN_LOG": "error", "OTHERS": "are not ours" }))
            .await;
    let port = free_port();
    let mut program = start(&api, port);
    let at = format!("http://127.0.0.1:{port}");

    answer(&mut program, &format!("{at}/readyz"), "", |status, _| status == StatusCode::OK).await;
    let described =
        answer(&mut program, &format!("{at}/openapi.json"), "", |status, _| status == StatusCode::OK).await;
    assert_eq!(described["paths"], catalog::openapi(SERVICES)["paths"]);

    let token = token(data.path());
    let paid =
        json!({ "amount": 2590, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    let paid =
        reqwest::Client::new().post(format!("{at}/v1/payments")).bearer_auth(&token).json(&paid).send().await;
    let paid = paid.unwrap();
    assert_eq!(paid.status(), StatusCode::CREATED);
    let payment: Value = paid.json().await.unwrap();
    assert_eq!(payment["status"], "succeeded");

    // The relay and the consumers run in the same process: the event has reached the audit trail.
    let id = payment["id"].as_str().unwrap();
    let records = format!("{at}/v1/audit/records?resource={id}");
    answer(&mut program, &records, &token, |_, body| {
        body["data"].as_array().is_some_and(|list| !list.is_empty())
    })
    .await;

    let process = program.id().unwrap().to_string();
    std::process::Command::new("kill").args(["-s", "TERM", &process]).status().unwrap();
    assert_eq!(program.wait().await.unwrap().code(), Some(10), "the runtime's own code for SIGTERM");

    let mut program = start(&api, port);
    let again =
        answer(&mut program, &format!("{at}/v1/payments/{id}"), &token, |status, _| status == StatusCode::OK)
            .await;
    assert_eq!(again, payment);
}

/// The runtime's own code and words for a program that did not come up.
async fn ended(program: Child) -> (Option<i32>, String) {
    let output = program.wait_with_output().await.unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn without_the_platform_nothing_starts() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let (code, words) = ended(start(&nobody, free_port())).await;
    assert_eq!(code, Some(101), "{words}");
    assert!(words.contains("Runtime Secret Loading phase failed"), "{words}");
}

#[tokio::test]
async fn a_secret_that_is_no_setting_is_refused_by_name() {
    let api = platform(json!({ "FLORIN_DATABSE_URL": "postgres://somewhere" })).await;
    let (code, words) = ended(start(&api, free_port())).await;
    assert_eq!(code, Some(151), "{words}");
    assert!(words.contains("FLORIN_DATABSE_URL is not a setting"), "{words}");
}
