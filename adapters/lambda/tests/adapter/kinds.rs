//! Telling events apart.

use florin_lambda::{Front, Kind};
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use serde_json::json;

use crate::raw;

#[test]
fn each_front_is_known_by_the_request_it_sends() {
    let request = HttpRequest::new("GET", "/v1/payments");
    for (event, front) in [
        (request.through_rest_api(), Front::ApiGatewayV1),
        (request.through_http_api(), Front::ApiGatewayV2),
        (request.through_function_url(), Front::ApiGatewayV2),
        (request.through_load_balancer(true), Front::Alb { multi_value_headers: true }),
        (request.through_load_balancer(false), Front::Alb { multi_value_headers: false }),
    ] {
        assert_eq!(Kind::of(&raw(&event)), Kind::Http(front), "{event}");
    }
}

#[test]
fn what_is_not_recognised_is_unknown_and_never_a_panic() {
    for event in [
        json!(null),
        json!([]),
        json!("GET /"),
        json!(7),
        json!({}),
        json!({"Records": []}),
        json!({"Records": "all of them"}),
        json!({"Records": [{"eventSource": "aws:s3"}]}),
        json!({"Records": [{"eventSource": 1}]}),
        json!({"httpMethod": "GET", "path": "/"}),
        json!({"requestContext": {"http": {"method": "GET"}}}),
        json!({"requestContext": [], "httpMethod": "GET"}),
        json!({"requestContext": {"connectionId": "abc=", "eventType": "MESSAGE"}, "body": "hello"}),
        json!({"type": "REQUEST", "methodArn": "arn", "httpMethod": "GET", "path": "/", "requestContext": {}}),
        json!({"version": "2.0", "type": "REQUEST", "routeArn": "arn", "rawPath": "/", "requestContext": {"http": {"method": "GET"}}}),
        json!({"detail-type": "Object Created", "source": "aws.s3"}),
    ] {
        assert_eq!(Kind::of(&raw(&event)), Kind::Unknown, "{event}");
    }
}

#[test]
fn a_schedule_is_known_by_florins_own_input_and_by_the_plain_event_of_either_service() {
    for event in [
        json!({"florin": {"job": "payments.sweep"}, "time": "2026-01-31T12:00:00Z"}),
        json!({"detail-type": "Scheduled Event", "source": "aws.events"}),
        json!({"detail-type": "Scheduled Event", "source": "aws.scheduler"}),
    ] {
        assert_eq!(Kind::of(&raw(&event)), Kind::Schedule, "{event}");
    }
}
