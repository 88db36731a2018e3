//! Every function runs in exactly one Lambda function.

use serde_json::Value;

use crate::aws::Aws;
use crate::entries;

/// The Lambda functions that there are.
pub(super) async fn lambdas(aws: &Aws) -> Vec<Value> {
    let answer = aws.get("lambda", "/2015-03-31/functions").await;
    answer["Functions"].as_array().expect("a list").clone()
}

/// Whether this Lambda function serves that function, by what its program is told.
pub(super) fn serves(lambda: &Value, function: &str) -> bool {
    let chosen = lambda["Environment"]["Variables"]["FLORIN_FUNCTIONS"].as_str().expect("it is told");
    chosen.split(',').any(|one| match one.strip_suffix('*') {
        Some(prefix) => function.starts_with(prefix),
        None => one == function,
    })
}

/// The one that serves it.
pub(super) async fn serving(aws: &Aws, function: &str) -> Value {
    let lambdas = lambdas(aws).await;
    let serving: Vec<&Value> = lambdas.iter().filter(|lambda| serves(lambda, function)).collect();
    assert_eq!(serving.len(), 1, "{function} is served by {serving:?}");
    serving[0].clone()
}

#[tokio::test]
async fn every_function_runs_in_exactly_one_lambda_function() {
    let aws = Aws::here();
    for entry in entries() {
        let lambda = serving(&aws, &entry.name).await;
        assert_eq!(lambda["Runtime"], "provided.al2023", "{}", entry.name);
        assert_eq!(lambda["Timeout"], 29, "{}", entry.name);
        assert_eq!(lambda["Architectures"], serde_json::json!(["arm64"]), "{}", entry.name);
    }
}

#[tokio::test]
async fn a_function_that_was_asked_for_alone_is_alone() {
    let lambda = serving(&Aws::here(), "audit.record_event").await;
    let served: Vec<String> =
        entries().map(|entry| entry.name).filter(|function| serves(&lambda, function)).collect();
    assert_eq!(served, ["audit.record_event"]);
}

#[tokio::test]
async fn no_secret_stands_in_an_environment() {
    for lambda in lambdas(&Aws::here()).await {
        let variables = lambda["Environment"]["Variables"].as_object().expect("variables");
        for secret in ["FLORIN_DATABASE_URL", "FLORIN_CARD_CREDENTIAL"] {
            let Some(value) = variables.get(secret) else { continue };
            let value = value.as_str().expect("text");
            assert!(value.starts_with("secretsmanager:arn:"), "{secret}={value}");
        }
    }
}
