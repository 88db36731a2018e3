//! The six defects that were measured in lambda_http 1.3.2, each as the rule that it broke.

use bytes::Bytes;
use florin_http::target::TargetRefusal;
use florin_lambda::{Front, Kind, Refusal};
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use http::Response;
use serde_json::json;

use crate::{all, answer, raw, request};

#[test]
fn first_a_repeated_header_keeps_every_value() {
    let event = HttpRequest::new("GET", "/").header("x-a", "1").header("x-a", "2").through_rest_api();
    assert_eq!(all(&request(&event).unwrap(), "x-a"), ["1", "2"]);
}

#[test]
fn second_a_stage_is_never_put_before_the_path() {
    for path in ["/x", "/prod", "/"] {
        let mut event = HttpRequest::new("GET", path).through_rest_api();
        assert_eq!(request(&event).unwrap().uri().path(), path);
        event["requestContext"]["domainName"] = json!("api.example.com");
        assert_eq!(request(&event).unwrap().uri().path(), path);
    }
}

#[test]
fn third_a_dot_segment_is_refused_and_not_resolved() {
    let event = HttpRequest::new("GET", "/a/../b").through_rest_api();
    assert_eq!(request(&event).unwrap_err(), TargetRefusal::AmbiguousPath.into());
}

#[test]
fn fourth_a_malformed_host_query_or_body_is_a_bad_request_and_not_a_panic() {
    let mut host = HttpRequest::new("GET", "/").through_http_api();
    host["headers"]["host"] = json!("exa mple.com");
    assert_eq!(request(&host).unwrap_err(), TargetRefusal::Host.into());

    let mut query = HttpRequest::new("GET", "/").through_http_api();
    query["rawQueryString"] = json!("scope=openid profile");
    assert_eq!(request(&query).unwrap_err(), TargetRefusal::Query.into());

    let mut body = HttpRequest::new("POST", "/").body("image/png", "x").through_http_api();
    body["body"] = json!("not base64!");
    assert_eq!(request(&body).unwrap_err(), Refusal::Body);
}

#[test]
fn fifth_the_bytes_of_an_answer_arrive_whatever_its_content_type() {
    let bytes = Bytes::from_static(&[0xff, 0xfe, 0x00, 0x41]);
    let nameless = answer(Front::ApiGatewayV2, Response::new(bytes));
    assert_eq!(nameless["body"], "//4AQQ==");
    assert_eq!(nameless["isBase64Encoded"], true);

    for content_type in ["Application/JSON", "application/x-ndjson", "application/x-www-form-urlencoded"] {
        let response =
            Response::builder().header("content-type", content_type).body(Bytes::from("text")).unwrap();
        let answer = answer(Front::ApiGatewayV1, response);
        assert_eq!((&answer["body"], &answer["isBase64Encoded"]), (&json!("text"), &json!(false)));
        assert_eq!(answer["headers"]["content-type"], content_type.to_ascii_lowercase());
    }
}

#[test]
fn sixth_one_function_takes_http_and_queues_alike() {
    let http = HttpRequest::new("GET", "/").through_http_api();
    let sqs = json!({"Records": [{"eventSource": "aws:sqs", "messageId": "1"}]});
    assert_eq!(Kind::of(&raw(&http)), Kind::Http(Front::ApiGatewayV2));
    assert_eq!(Kind::of(&raw(&sqs)), Kind::Sqs);
}
