//! A bootstrap process against a Runtime API: one process, every kind of event.

use std::path::PathBuf;
use std::time::Duration;

use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::lambda_runtime_api::{Invoked, LambdaRuntimeApi};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::{batch, failures};

/// The example beside these tests, which cargo builds with them.
fn bootstrap(api: &LambdaRuntimeApi, files: &tempfile::TempDir) -> Child {
    let tests = std::env::current_exe().unwrap();
    let path: PathBuf = tests.ancestors().nth(2).unwrap().join("examples/bootstrap");
    Command::new(path)
        .arg(format!("sqlite://{}", files.path().join("parcels.db").display()))
        .env_clear()
        .envs(api.environment())
        .kill_on_drop(true)
        .spawn()
        .expect("`cargo test` builds the example `bootstrap`")
}

fn process_of(answer: &Value) -> String {
    answer["body"].as_str().unwrap().rsplit(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn one_process_answers_every_kind_of_event_and_survives_the_hostile_ones() {
    let api = LambdaRuntimeApi::start().await.unwrap();
    let files = tempfile::tempdir().unwrap();
    let mut child = bootstrap(&api, &files);
    let id = child.id().unwrap().to_string();

    let get = HttpRequest::new("GET", "/echo").query("a", "b");
    for event in [
        get.through_rest_api(),
        get.through_http_api(),
        get.through_function_url(),
        get.through_load_balancer(true),
        get.through_load_balancer(false),
    ] {
        let answer = api.invoke(&event).await.answer();
        assert_eq!(answer["statusCode"], 200, "{answer}");
        assert_eq!(answer["body"], format!("/echo?a=b 0 {id}"));
    }

    let sqs = batch("parcels-note_parcel", &[("1", "note"), ("2", "later"), ("3", "panic"), ("4", "note")]);
    assert_eq!(failures(&api.invoke(&sqs).await.answer()), ["2", "3"]);
    let tick = json!({"florin": {"job": "parcels.sweep"}, "time": "2026-01-31T12:00:00Z"});
    assert_eq!(api.invoke(&tick).await.answer()["disposition"], "done");

    let mut hostile = get.through_http_api();
    hostile["headers"]["host"] = json!("a b");
    assert_eq!(api.invoke(&hostile).await.answer()["statusCode"], 400);
    let panics = HttpRequest::new("GET", "/panic").through_http_api();
    assert_eq!(api.invoke(&panics).await.answer()["statusCode"], 500);
    for (payload, name) in [
        ("{}", Some("florin.unknown_event")),
        ("null", Some("florin.unknown_event")),
        ("{ this is not JSON", None),
    ] {
        let failed = api.invoke_within(Duration::from_secs(30), payload).await;
        let Invoked::Failed(error) = failed else { panic!("{payload}: {failed:?}") };
        assert!(name.is_none_or(|name| error["errorType"] == name), "{payload}: {error}");
    }

    assert_eq!(process_of(&api.invoke(&get.through_http_api()).await.answer()), id);
    assert!(child.try_wait().unwrap().is_none());
}

#[tokio::test]
async fn what_takes_too_long_is_answered_before_the_platform_kills_the_process() {
    let api = LambdaRuntimeApi::start().await.unwrap();
    let files = tempfile::tempdir().unwrap();
    let _child = bootstrap(&api, &files);
    // The first invocation waits for the process to start, which is not what is timed here.
    api.invoke(&HttpRequest::new("GET", "/echo").through_http_api()).await.answer();

    let hang = HttpRequest::new("GET", "/hang").through_http_api().to_string();
    let answer = api.invoke_within(Duration::from_secs(2), hang).await.answer();
    assert_eq!(answer["statusCode"], 504);

    let sqs = batch("parcels-note_parcel", &[("1", "note"), ("2", "hang"), ("3", "note")]).to_string();
    let answer = api.invoke_within(Duration::from_secs(2), sqs).await.answer();
    assert_eq!(failures(&answer), ["2", "3"]);
}

#[tokio::test]
async fn on_sigterm_the_process_ends_well() {
    let api = LambdaRuntimeApi::start().await.unwrap();
    let files = tempfile::tempdir().unwrap();
    let mut child = bootstrap(&api, &files);
    api.invoke(&HttpRequest::new("GET", "/echo").through_http_api()).await.answer();
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    assert!(child.wait().await.unwrap().success());
}
