//! From an answer to an HTTP response.

use axum::body::Body;
use axum::response::Response;
use florin_kernel::answer::{Answered, Challenge};
use florin_kernel::door::Door;
use florin_kernel::event::TraceParent;
use florin_kernel::problem::Problem;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::token::insufficient_scope;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NO_SNIFF: HeaderName = HeaderName::from_static("x-content-type-options");

/// A problem as a response.
pub fn problem(problem: &Problem, trace: &TraceParent) -> Response {
    answered(Answered::problem(problem, trace.trace_id()), Some(trace.trace_id()))
}

/// A refusal as a response, in the words of the door it leaves by.
pub(crate) fn refused(door: &Door, problem: &Problem, trace: &TraceParent) -> Response {
    answered(Answered::refused(door, problem, trace.trace_id()), Some(trace.trace_id()))
}

/// An answer as a response.
pub fn answered(answer: Answered, request_id: Option<&str>) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    // First, so that what every answer says of itself stays as it is.
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    if let Ok(content_type) = HeaderValue::try_from(answer.content_type) {
        headers.insert(CONTENT_TYPE, content_type);
    }
    if let Some(Ok(location)) = answer.location.map(HeaderValue::try_from) {
        headers.insert(LOCATION, location);
    }
    if let Some(after) = answer.retry_after {
        headers.insert(RETRY_AFTER, after.as_secs().max(1).into());
    }
    if answer.replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    if let Some(Ok(id)) = request_id.map(HeaderValue::try_from) {
        headers.insert(REQUEST_ID, id);
    }
    // RFC 9110, section 15.5.2: every 401 names a way in; one that was stored no longer knows which.
    match (answer.challenge, answer.status) {
        (Some(Challenge::Scope(scope)), _) => {
            headers.insert(WWW_AUTHENTICATE, insufficient_scope(scope));
        }
        (Some(Challenge::Client), _) => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"florin\""));
        }
        (Some(Challenge::Bearer), _) | (None, 401) => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"florin\""));
        }
        (None, _) => {}
    }
    keep_private(headers);
    response
}

/// A response with what every one carries.
pub(crate) fn dressed(
    mut response: Response,
    brought_id: Option<HeaderValue>,
    trace: &TraceParent,
) -> Response {
    let status = response.status();
    let headers = response.headers_mut();
    if let Some(id) = brought_id {
        headers.insert(REQUEST_ID, id);
    } else if !headers.contains_key(REQUEST_ID)
        && let Ok(id) = HeaderValue::try_from(trace.trace_id())
    {
        headers.insert(REQUEST_ID, id);
    }
    keep_private(headers);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.entry(RETRY_AFTER).or_insert(HeaderValue::from_static("1"));
    }
    response
}

/// Payments and audit records are nobody's to keep on the way. What an answer says itself of caching stays.
fn keep_private(headers: &mut HeaderMap) {
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(NO_SNIFF, HeaderValue::from_static("nosniff"));
}
