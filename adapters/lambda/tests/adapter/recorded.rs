//! The recorded events in ../shared/data/lambda-events.

use std::path::PathBuf;

use http::Method;
use serde_json::Value;

use crate::{all, front, raw, request};
use florin_lambda::{Front, Kind, batch, schedule};

/// A recorded event, or nothing and a word about it where the data is not there.
pub(crate) fn event(name: &str) -> Option<Value> {
    let path =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/lambda-events")).join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(_) => {
            println!("SKIPPED: recorded Lambda event {name} (../shared/data is not there)");
            None
        }
    }
}

#[test]
fn each_recorded_event_is_known_by_its_shape() {
    let alb = |multi_value_headers| Kind::Http(Front::Alb { multi_value_headers });
    for (name, kind) in [
        ("example-alb-lambda-target-request-headers-only.json", alb(false)),
        ("example-alb-lambda-target-request-multivalue-headers.json", alb(true)),
        ("example-apigw-request-multi-value-parameters.json", Kind::Http(Front::ApiGatewayV1)),
        ("example-apigw-request.json", Kind::Http(Front::ApiGatewayV1)),
        ("example-apigw-sam-http-request.json", Kind::Http(Front::ApiGatewayV2)),
        ("example-apigw-sam-rest-request.json", Kind::Http(Front::ApiGatewayV1)),
        ("example-apigw-v2-request-jwt-authorizer.json", Kind::Http(Front::ApiGatewayV2)),
        ("example-apigw-v2-request-multi-value-parameters.json", Kind::Http(Front::ApiGatewayV2)),
        ("example-apigw-v2-request-no-authorizer.json", Kind::Http(Front::ApiGatewayV2)),
        ("example-eventbridge-schedule.json", Kind::Schedule),
        ("example-sns-event.json", Kind::Sns),
        ("example-sqs-batch-response.json", Kind::Unknown),
        ("example-sqs-event.json", Kind::Sqs),
    ] {
        let Some(event) = event(name) else { return };
        assert_eq!(Kind::of(&raw(&event)), kind, "{name}");
    }
}

#[test]
fn a_recorded_rest_request_keeps_every_value() {
    let Some(event) = event("example-apigw-request-multi-value-parameters.json") else { return };
    let request = request(&event).unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "/hello/world?name=me&name=me2");
    assert_eq!(all(&request, "headername"), ["headerValue", "headerValue2"]);
    assert_eq!(request.body(), "{\r\n\t\"a\": 1\r\n}");
}

#[test]
fn a_recorded_http_api_request_keeps_the_raw_query_and_its_cookies() {
    let Some(event) = event("example-apigw-v2-request-jwt-authorizer.json") else { return };
    let request = request(&event).unwrap();
    assert_eq!(request.uri(), "/my/path?parameter1=value1&parameter1=value2&parameter2=value");
    assert_eq!(all(&request, "cookie"), ["cookie1; cookie2"]);
}

#[test]
fn a_recorded_load_balancer_request_is_read_from_whichever_map_it_has() {
    for name in [
        "example-alb-lambda-target-request-headers-only.json",
        "example-alb-lambda-target-request-multivalue-headers.json",
    ] {
        let Some(event) = event(name) else { return };
        let request = request(&event).unwrap();
        assert_eq!(request.uri(), "/?key=hello", "{name}");
        assert_eq!(all(&request, "x-myheader"), ["123"], "{name}");
        assert_eq!(all(&request, "connection"), [""; 0], "the hop's own header stayed, {name}");
    }
}

#[test]
fn every_recorded_http_event_becomes_a_request() {
    for name in [
        "example-apigw-request.json",
        "example-apigw-sam-http-request.json",
        "example-apigw-sam-rest-request.json",
        "example-apigw-v2-request-multi-value-parameters.json",
        "example-apigw-v2-request-no-authorizer.json",
    ] {
        let Some(event) = event(name) else { return };
        let path = event["rawPath"].as_str().or(event["path"].as_str()).unwrap().to_owned();
        assert_eq!(request(&event).unwrap().uri().path(), path, "{name} through {:?}", front(&event));
    }
}

#[test]
fn a_recorded_batch_gives_its_records() {
    let Some(event) = event("example-sqs-event.json") else { return };
    let records = batch::records(&raw(&event)).unwrap();
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record.message_id, "MessageID_1");
    assert_eq!(record.receipt_handle, "MessageReceiptHandle");
    assert_eq!(record.queue, "SQSQueue");
    assert_eq!(record.group, None);
    assert_eq!(record.receive_count, 2);
    assert_eq!(record.body, "Message Body");
}

#[test]
fn the_batch_answer_is_written_like_the_recorded_one() {
    let Some(event) = event("example-sqs-batch-response.json") else { return };
    let failure = |id: &str| batch::ItemFailure { item_identifier: id.to_owned() };
    let answer = batch::BatchAnswer { batch_item_failures: vec![failure("id2"), failure("id4")] };
    assert_eq!(serde_json::to_value(answer).unwrap(), event);
}

#[test]
fn a_recorded_rule_event_ticks_the_job_the_rule_is_named_after() {
    let Some(event) = event("example-eventbridge-schedule.json") else { return };
    assert_eq!(schedule::job(&raw(&event)).unwrap(), "my-scheduled-rule");
}
