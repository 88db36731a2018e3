//! What each front gets back.

use bytes::Bytes;
use florin_lambda::Front;
use http::{Response, StatusCode};
use serde_json::json;

use crate::answer;

const ALB: Front = Front::Alb { multi_value_headers: false };
const ALB_MULTI: Front = Front::Alb { multi_value_headers: true };
const FRONTS: [Front; 4] = [Front::ApiGatewayV1, Front::ApiGatewayV2, ALB, ALB_MULTI];

fn created() -> Response<Bytes> {
    Response::builder()
        .status(201)
        .header("content-type", "application/json")
        .header("location", "/v1/payments/pay_1")
        .header("vary", "accept")
        .header("vary", "origin")
        .header("set-cookie", "a=1; Path=/")
        .header("set-cookie", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT")
        .body(Bytes::from(r#"{"id":"pay_1"}"#))
        .unwrap()
}

#[test]
fn a_rest_api_gets_each_header_in_one_of_its_two_maps() {
    assert_eq!(
        answer(Front::ApiGatewayV1, created()),
        json!({
            "statusCode": 201,
            "headers": {"content-type": "application/json", "location": "/v1/payments/pay_1"},
            "multiValueHeaders": {
                "set-cookie": ["a=1; Path=/", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"],
                "vary": ["accept", "origin"],
            },
            "body": r#"{"id":"pay_1"}"#,
            "isBase64Encoded": false,
        })
    );
}

#[test]
fn an_http_api_gets_cookies_apart_and_repeated_headers_joined() {
    assert_eq!(
        answer(Front::ApiGatewayV2, created()),
        json!({
            "statusCode": 201,
            "headers": {"content-type": "application/json", "location": "/v1/payments/pay_1", "vary": "accept, origin"},
            "cookies": ["a=1; Path=/", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"],
            "body": r#"{"id":"pay_1"}"#,
            "isBase64Encoded": false,
        })
    );
}

#[test]
fn a_load_balancer_gets_the_map_that_it_asked_with_and_a_status_description() {
    let multi = answer(ALB_MULTI, created());
    assert_eq!(multi["statusDescription"], "201 Created");
    assert_eq!(multi["multiValueHeaders"]["vary"], json!(["accept", "origin"]));
    assert_eq!(multi["multiValueHeaders"]["content-type"], json!(["application/json"]));
    assert_eq!(multi.get("headers"), None);

    let single = answer(ALB, created());
    assert_eq!(single["statusDescription"], "201 Created");
    assert_eq!(single["headers"]["vary"], "accept, origin");
    assert_eq!(single.get("multiValueHeaders"), None);
}

#[test]
fn no_cookie_is_lost_where_a_header_has_one_value() {
    let headers = answer(ALB, created())["headers"].as_object().unwrap().clone();
    let mut cookies: Vec<&str> = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .map(|(_, value)| value.as_str().unwrap())
        .collect();
    cookies.sort_unstable();
    assert_eq!(cookies, ["a=1; Path=/", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"]);
}

#[test]
fn what_is_not_utf8_travels_as_base64_and_the_rest_as_it_is() {
    for front in FRONTS {
        for (content_type, body, sent, is_base64) in [
            ("application/json", &b"{\"a\":\"\xc3\xa9\"}"[..], "{\"a\":\"\u{e9}\"}", false),
            ("application/problem+json", b"{}", "{}", false),
            ("image/svg+xml", b"<svg/>", "<svg/>", false),
            ("text/html; charset=ISO-8859-1", b"\xe9", "6Q==", true),
            ("application/pdf", b"%PDF-\xff", "JVBERi3/", true),
        ] {
            let response = Response::builder()
                .header("content-type", content_type)
                .body(Bytes::copy_from_slice(body))
                .unwrap();
            let answer = answer(front, response);
            assert_eq!((&answer["body"], &answer["isBase64Encoded"]), (&json!(sent), &json!(is_base64)));
        }
    }
}

#[test]
fn a_media_type_is_lower_case_and_its_parameters_are_left_alone() {
    let response = Response::builder()
        .header("content-type", "Multipart/Form-Data; Boundary=AbC")
        .body(Bytes::from("x"))
        .unwrap();
    assert_eq!(
        answer(Front::ApiGatewayV2, response)["headers"]["content-type"],
        "multipart/form-data; Boundary=AbC"
    );
}

#[test]
fn a_body_without_a_type_is_bytes_and_no_body_needs_no_type() {
    let named = answer(Front::ApiGatewayV2, Response::new(Bytes::from("x")));
    assert_eq!(named["headers"]["content-type"], "application/octet-stream");
    let empty = Response::builder().status(204).body(Bytes::new()).unwrap();
    assert_eq!(
        answer(Front::ApiGatewayV2, empty),
        json!({"statusCode": 204, "body": "", "isBase64Encoded": false})
    );
}

#[test]
fn the_connections_headers_are_left_to_the_front() {
    let response = Response::builder()
        .header("connection", "close")
        .header("transfer-encoding", "chunked")
        .header("content-length", "99")
        .body(Bytes::new())
        .unwrap();
    assert_eq!(answer(Front::ApiGatewayV2, response).get("headers"), None);
}

#[test]
fn an_answer_over_what_the_front_takes_is_a_problem_and_not_a_bare_502() {
    for (front, bytes) in [
        (Front::ApiGatewayV1, 6 * 1024 * 1024),
        (Front::ApiGatewayV2, 6 * 1024 * 1024),
        (ALB, 1024 * 1024),
        (ALB_MULTI, 1024 * 1024),
    ] {
        let answer = answer(front, Response::new(Bytes::from(vec![b'a'; bytes])));
        assert_eq!(answer["statusCode"], 500, "{front:?}");
        let problem: serde_json::Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(problem["code"], "response_too_large");
    }
    // Quotes double in JSON and bytes grow by a third in base64: what counts is what is sent.
    for body in [vec![b'"'; 4 * 1024 * 1024], vec![0xff; 5 * 1024 * 1024]] {
        assert_eq!(answer(Front::ApiGatewayV2, Response::new(Bytes::from(body)))["statusCode"], 500);
    }
    let fits = answer(Front::ApiGatewayV2, Response::new(Bytes::from(vec![b'a'; 6 * 1024 * 1024 - 200])));
    assert_eq!(fits["statusCode"], 200);
}

#[test]
fn a_status_without_a_name_still_has_a_description() {
    let response = Response::builder().status(StatusCode::from_u16(299).unwrap()).body(Bytes::new()).unwrap();
    assert_eq!(answer(ALB, response)["statusDescription"], "299 Status");
}
