//! Requests on their way through the router.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::routing::{any, get};
use florin_http::call::TimeLeft;
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use serde_json::{Value, json};

use crate::Environment;

async fn environment() -> Environment {
    let header = |headers: &HeaderMap, name: &str| headers[name].to_str().unwrap().to_owned();
    let router = Router::new()
        .route(
            "/identity",
            get(async move |headers: HeaderMap| {
                format!("{} {}", header(&headers, "traceparent"), header(&headers, "x-request-id"))
            }),
        )
        .route(
            "/time",
            get(async |request: Request| {
                format!("{}", request.extensions().get::<TimeLeft>().unwrap().0.as_millis())
            }),
        )
        .route(
            "/echo",
            any(async |request: Request| {
                let target = request.uri().to_string();
                let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
                (
                    [("vary", "accept"), ("content-type", "application/json")],
                    format!("[{target:?},{}]", body.len()),
                )
            }),
        )
        .route("/hang", get(std::future::pending::<()>))
        .route("/panic", get(async || -> () { panic!("a defect") }));
    Environment::new(router).await
}

fn problem(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_through_every_front() {
    let environment = environment().await;
    let request = HttpRequest::new("POST", "/echo").query("a", "b c").body("application/json", "{}");
    for event in [
        request.through_rest_api(),
        request.through_http_api(),
        request.through_http_api_stage("prod"),
        request.through_function_url(),
        request.through_load_balancer(true),
        request.through_load_balancer(false),
    ] {
        let answer = environment.handle(&event).await.unwrap();
        assert_eq!(answer["statusCode"], 200);
        assert_eq!(answer["body"], r#"["/echo?a=b%20c",2]"#, "{event}");
        let vary = answer["headers"].get("vary").or(answer["multiValueHeaders"].get("vary"));
        assert!([json!("accept"), json!(["accept"])].contains(vary.unwrap()), "{answer}");
    }
}

#[tokio::test]
async fn a_request_without_a_trace_or_an_identifier_gets_those_of_its_invocation() {
    let environment = environment().await;
    let bare = environment.handle(&HttpRequest::new("GET", "/identity").through_http_api()).await.unwrap();
    assert_eq!(
        bare["body"],
        "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01 8476a536-e9f4-11e8-9739-2dfe598c3fcd"
    );
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let named =
        HttpRequest::new("GET", "/identity").header("traceparent", trace).header("x-request-id", "mine");
    let answer = environment.handle(&named.through_http_api()).await.unwrap();
    assert_eq!(answer["body"], format!("{trace} mine"));
}

#[tokio::test]
async fn a_room_is_told_its_time_which_ends_before_the_deadline() {
    let environment = environment().await;
    let event = HttpRequest::new("GET", "/time").through_http_api();
    let answer = environment.handle_within(Duration::from_secs(10), &event).await.unwrap();
    let left: u64 = answer["body"].as_str().unwrap().parse().unwrap();
    assert!((8_000..=9_300).contains(&left), "{left}");
}

#[tokio::test]
async fn a_route_that_hangs_is_a_504_problem_before_the_deadline() {
    let environment = environment().await;
    let event = HttpRequest::new("GET", "/hang").through_http_api();
    let answer = environment.handle_within(Duration::from_millis(300), &event).await.unwrap();
    assert_eq!(answer["statusCode"], 504);
    assert_eq!(problem(&answer)["code"], "timeout");
    assert_eq!(problem(&answer)["trace_id"], "5759e988bd862e3fe1be46a994272793");
}

#[tokio::test]
async fn a_route_that_panics_is_a_500_problem_and_not_a_bare_502() {
    let environment = environment().await;
    let answer =
        environment.handle(&HttpRequest::new("GET", "/panic").through_load_balancer(true)).await.unwrap();
    assert_eq!(answer["statusCode"], 500);
    assert_eq!(problem(&answer)["code"], "internal");
}

#[tokio::test]
async fn hostile_input_is_answered_in_the_fronts_own_form_and_reaches_no_route() {
    let environment = environment().await;
    let mut query = HttpRequest::new("GET", "/echo").through_http_api();
    query["rawQueryString"] = json!("a b");
    let dots = HttpRequest::new("GET", "/v1/../echo");
    for (event, code) in [
        (query, "invalid_query"),
        (dots.through_http_api(), "ambiguous_path"),
        (dots.through_rest_api(), "ambiguous_path"),
        (dots.through_load_balancer(false), "ambiguous_path"),
    ] {
        let answer = environment.handle(&event).await.unwrap();
        assert_eq!(answer["statusCode"], 400);
        assert_eq!(answer["headers"]["content-type"], "application/problem+json");
        assert_eq!(problem(&answer)["code"], code);
    }
    let answer = environment.handle(&dots.through_load_balancer(true)).await.unwrap();
    assert_eq!(answer["statusDescription"], "400 Bad Request");
    assert_eq!(answer["multiValueHeaders"]["content-type"], json!(["application/problem+json"]));
}
