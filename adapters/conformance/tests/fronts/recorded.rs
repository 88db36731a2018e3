//! The recorded events of Lambda's fronts, each of them, at the real binary.

use florin_conformance::client::Client;
use florin_testkit::lambda_runtime_api::Invoked;
use florin_testkit::suite::Engine;
use serde_json::{Value, json};

use crate::data;
use crate::stage::Stage;

/// What a recorded event is to the function.
enum Recorded {
    /// A request, answered as the container answers it.
    Request,
    /// An invocation that fails with this name.
    Failure(&'static str),
    /// A batch whose one message goes back: no function here has its queue.
    Batch,
}

fn recorded(name: &str) -> Recorded {
    match name {
        "example-alb-lambda-target-request-headers-only.json"
        | "example-alb-lambda-target-request-multivalue-headers.json"
        | "example-apigw-request-multi-value-parameters.json"
        | "example-apigw-request.json"
        | "example-apigw-sam-http-request.json"
        | "example-apigw-sam-rest-request.json"
        | "example-apigw-v2-request-jwt-authorizer.json"
        | "example-apigw-v2-request-multi-value-parameters.json"
        | "example-apigw-v2-request-no-authorizer.json" => Recorded::Request,
        "example-eventbridge-schedule.json" => Recorded::Failure("florin.no_such_job"),
        "example-sns-event.json" => Recorded::Failure("florin.sns_without_a_queue"),
        // What a function answers to a batch, and no event at all.
        "example-sqs-batch-response.json" => Recorded::Failure("florin.unknown_event"),
        "example-sqs-event.json" => Recorded::Batch,
        other => panic!("nobody reads {other}"),
    }
}

/// Method and path with query, as the client sent them.
fn request_line(event: &Value) -> (String, String) {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let method = text("/requestContext/http/method").or(text("/httpMethod")).expect("a method");
    let path = text("/rawPath").or(text("/path")).expect("a path");
    let query = text("/rawQueryString").unwrap_or_else(|| {
        let one = event["queryStringParameters"].as_object().into_iter().flatten();
        one.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join("&")
    });
    (method, if query.is_empty() { path } else { format!("{path}?{query}") })
}

/// Less what each answer has of its own.
fn without_trace(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.remove("trace_id");
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn each_recorded_event_gets_what_the_container_answers_or_a_named_failure() {
    let Some(directory) = data::directory("lambda-events") else { return };
    let Some(mut stage) = Stage::on(Engine::Sqlite).await else { return };
    let container = Client::new(stage.container.base(), None);
    let names = data::names(&directory);
    for name in &names {
        let event: Value = serde_json::from_str(&data::text(&directory, name)).expect("JSON");
        match recorded(name) {
            Recorded::Request => {
                let (method, path) = request_line(&event);
                let expected = container.request(&method, &path, &[], "").await;
                let answered = stage.lambda.answered(&event).await;
                assert_eq!(answered.status, expected.status, "{name}: {answered:?}");
                assert_eq!(answered.header("content-type"), expected.header("content-type"), "{name}");
                assert_eq!(without_trace(answered.body), without_trace(expected.body), "{name}");
            }
            Recorded::Failure(why) => {
                let Invoked::Failed(error) = stage.lambda.invoke(&event).await else { panic!("{name}") };
                assert_eq!(error["errorType"], why, "{name}");
            }
            Recorded::Batch => {
                let answer = stage.lambda.invoke(&event).await.answer();
                let back = json!({ "batchItemFailures": [{ "itemIdentifier": "MessageID_1" }] });
                assert_eq!(answer, back, "{name}");
            }
        }
        println!("READ: {name}");
    }
    assert_eq!(names.len(), 13, "{names:?}");
    assert!(stage.lambda.process().is_running());
}
