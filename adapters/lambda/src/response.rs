//! An `http::Response` becomes the JSON that the front which asked understands.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use florin_kernel::problem::codes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, Response};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::kind::Front;
use crate::refusal;
use crate::request::LAMBDA_PAYLOAD_BYTES;

/// What a load balancer takes from a function at most, in bytes of JSON.
const ALB_PAYLOAD_BYTES: usize = 1024 * 1024;

/// The answer as this front's JSON. One that is larger than the front takes becomes a 500 problem, because
/// the caller would otherwise see a bare 502 with no body.
pub fn to_event(front: Front, response: Response<Bytes>, trace_id: &str) -> Box<RawValue> {
    let limit = match front {
        Front::ApiGatewayV1 | Front::ApiGatewayV2 => LAMBDA_PAYLOAD_BYTES,
        Front::Alb { .. } => ALB_PAYLOAD_BYTES,
    };
    let event = written(front, response);
    if event.get().len() <= limit {
        return event;
    }
    tracing::error!(
        http.response.bytes = event.get().len(),
        limit,
        "the answer is larger than the front takes"
    );
    let problem =
        codes::RESPONSE_TOO_LARGE.because(format!("at most {limit} bytes can be sent; ask for fewer items"));
    written(front, refusal::answer(&problem, trace_id))
}

/// The members of every front's answer; each uses its own.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_description: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    multi_value_headers: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    body: String,
    is_base64_encoded: bool,
}

fn written(front: Front, response: Response<Bytes>) -> Box<RawValue> {
    let (parts, body) = response.into_parts();
    let mut headers = parts.headers;
    leave_to_the_front(&mut headers);
    name_the_content(&mut headers, &body);
    let (body, is_base64_encoded) = text_or_base64(body);
    let mut answer =
        Answer { status_code: parts.status.as_u16(), body, is_base64_encoded, ..Answer::default() };
    match front {
        Front::ApiGatewayV1 => rest_headers(&headers, &mut answer),
        Front::ApiGatewayV2 => http_api_headers(&headers, &mut answer),
        Front::Alb { multi_value_headers } => {
            let reason = parts.status.canonical_reason().unwrap_or("Status");
            answer.status_description = Some(format!("{} {reason}", answer.status_code));
            if multi_value_headers {
                answer.multi_value_headers = all_values(&headers);
            } else {
                single_headers(&headers, &mut answer);
            }
        }
    }
    to_raw_value(&answer).expect("strings and numbers serialize")
}

/// Takes out what the front says by itself: the connection's headers and the length.
fn leave_to_the_front(headers: &mut HeaderMap) {
    for name in [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, CONTENT_LENGTH] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

/// A body always says what it is, with its media type in lower case: fronts guess differently otherwise
/// (API Gateway says JSON), and REST APIs compare media types by the letter.
fn name_the_content(headers: &mut HeaderMap, body: &Bytes) {
    let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(|value| {
        let (media_type, parameters) = value.split_at(value.find(';').unwrap_or(value.len()));
        format!("{}{parameters}", media_type.to_ascii_lowercase())
    });
    match named.and_then(|value| HeaderValue::try_from(value).ok()) {
        Some(value) => {
            headers.insert(CONTENT_TYPE, value);
        }
        None if !body.is_empty() => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        }
        None => {}
    }
}

/// What is UTF-8 travels as it is, whatever its media type: the client gets the same bytes, and a REST API
/// without binary media types would hand base64 on undecoded. Everything else travels as base64.
fn text_or_base64(body: Bytes) -> (String, bool) {
    match String::from_utf8(body.into()) {
        Ok(text) => (text, false),
        Err(binary) => (STANDARD.encode(binary.as_bytes()), true),
    }
}

/// API Gateway v1 adds both maps up, and repeats a header that stands in both: each stands in one.
fn rest_headers(headers: &HeaderMap, answer: &mut Answer) {
    for (name, mut values) in all_values(headers) {
        match values.len() {
            1 => answer.headers.extend(values.pop().map(|value| (name, value))),
            _ => answer.multi_value_headers.extend([(name, values)]),
        }
    }
}

/// API Gateway v2 takes cookies apart from the headers, and has no repeated headers.
fn http_api_headers(headers: &HeaderMap, answer: &mut Answer) {
    for (name, values) in all_values(headers) {
        if name == SET_COOKIE.as_str() {
            answer.cookies = values;
        } else {
            answer.headers.insert(name, values.join(", "));
        }
    }
}

/// A load balancer without multi-value headers has one value for each name. Set-Cookie cannot be joined
/// (RFC 6265, 3), so each further one stands under the same name in other letters: names are matched without
/// regard to case, members of a JSON object are not.
fn single_headers(headers: &HeaderMap, answer: &mut Answer) {
    for (name, values) in all_values(headers) {
        if name == SET_COOKIE.as_str() {
            let spelled = values.into_iter().enumerate().map(|(nth, value)| (spelling(&name, nth), value));
            answer.headers.extend(spelled);
        } else {
            answer.headers.insert(name, values.join(", "));
        }
    }
}

/// The nth spelling of a name: the bits of n say which of its letters are upper case.
fn spelling(name: &str, nth: usize) -> String {
    let mut bits = nth;
    let letter = |character: char| {
        if !character.is_ascii_alphabetic() {
            return character;
        }
        let upper = bits & 1 == 1;
        bits >>= 1;
        if upper { character.to_ascii_uppercase() } else { character }
    };
    name.chars().map(letter).collect()
}

/// Every name with all its values in order. What is not UTF-8 is replaced: JSON cannot hold it.
fn all_values(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let values = |name: &HeaderName| headers.get_all(name).iter().map(text).collect();
    headers.keys().map(|name| (name.as_str().to_owned(), values(name))).collect()
}
