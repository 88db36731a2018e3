//! From an HTTP request to a call at an operation's door: size limit and authentication come first.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use florin_kernel::corridor::HttpCall;
use florin_kernel::door::{Access, Door, Method};
use florin_kernel::event::TraceParent;
use florin_kernel::function::DoorRoom;
use florin_kernel::metric;
use florin_kernel::problem::{Class, Code, Problem, codes};
use florin_kernel::service::Service;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Extensions, HeaderName, HeaderValue};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use tokio::time::Instant;

use crate::app::App;
use crate::token::TokenRefusal;
use crate::{named, reply};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long the platform leaves a request: an extension that a front without a socket sets.
#[derive(Clone, Copy, Debug)]
pub struct TimeLeft(pub Duration);

/// A request that does not reach its room.
pub(crate) struct TurnedAway {
    door: Door,
    problem: Problem,
    challenge: Option<HeaderValue>,
    trace: TraceParent,
}

impl IntoResponse for TurnedAway {
    fn into_response(self) -> Response {
        let mut response = reply::refused(&self.door, &self.problem, &self.trace);
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(after) = self.problem.retry_after {
            response.headers_mut().insert(RETRY_AFTER, after.as_secs().max(1).into());
        }
        response
    }
}

/// The span that [`crate::span::traced`] serves this request in; a new one where nothing did.
pub fn trace_of(extensions: &Extensions) -> TraceParent {
    extensions.get().copied().unwrap_or_else(|| TraceParent::span(None))
}

/// Reads a request as far as its room needs it.
pub(crate) async fn read(
    app: &App,
    service: &Service,
    at: &DoorRoom,
    params: &RawPathParams,
    request: Request,
    trace: TraceParent,
) -> Result<HttpCall, TurnedAway> {
    let away = |problem: Problem| TurnedAway { door: at.door, problem, challenge: None, trace };
    let (parts, body) = request.into_parts();
    let left = parts.extensions.get().map_or(app.limits.room, |TimeLeft(left)| app.limits.room.min(*left));
    let deadline = Instant::now() + left;
    let declared =
        parts.headers.get(http::header::CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > app.limits.body_bytes) {
        return Err(away(too_large(app.limits.body_bytes)));
    }
    let caller = match at.door.access {
        Access::Public => None,
        // On the heap: it may have to fetch keys, and a public door would carry the room for that.
        Access::Scope(_) => match Box::pin(app.verifier.caller(&parts.headers, service.clock.now())).await {
            Ok(caller) => Some(caller),
            Err(refusal) => return Err(refused(at.door, &refusal, trace)),
        },
    };
    // Who may not enter hears that and nothing else of the request, and nothing of it is waited for.
    let may_enter = match (at.door.access, &caller) {
        (Access::Scope(scope), Some(caller)) => caller.may(scope),
        (Access::Scope(_), None) => false,
        (Access::Public, _) => true,
    };
    let body = match at.door.method {
        _ if !may_enter => Bytes::new(),
        // Not even waited for: doors that strangers may enter take no other method, and theirs come slowly on purpose.
        Method::Get if body.is_end_stream() => Bytes::new(),
        Method::Get => return Err(away(codes::INVALID_REQUEST.because("GET takes no body"))),
        Method::Post | Method::Put | Method::Patch | Method::Delete => {
            check_coding(&parts.headers).map_err(away)?;
            read_body(body, app.limits.body_bytes, app.limits.arrival).await.map_err(away)?
        }
    };
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    Ok(HttpCall {
        caller,
        path: parts.uri.path().to_owned(),
        path_parameters: params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        query: query.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        content_type: media_type(&parts.headers),
        read: named::read(&at.door, &parts.headers),
        body,
        // A browser that follows a link brings no key of its own.
        idempotency_key: match may_enter && at.door.method != Method::Get {
            true => one(&parts.headers, &IDEMPOTENCY_KEY).map_err(away)?,
            false => None,
        },
        request_id: Some(request_id(&parts.headers, &trace)),
        trace: Some(trace),
        deadline: Some(deadline),
    })
}

fn refused(door: Door, refusal: &TokenRefusal, trace: TraceParent) -> TurnedAway {
    metrics::counter!(metric::UNAUTHENTICATED.name, "florin.code" => refusal.code()).increment(1);
    let code = match refusal {
        TokenRefusal::KeysAway { .. } => {
            Code::new(refusal.code(), Class::Unavailable, "The keys that verify tokens are away.")
        }
        _ => Code::new(refusal.code(), Class::Unauthenticated, "A valid bearer token is needed."),
    };
    let mut problem = code.because(refusal.to_string());
    problem.retry_after = refusal.retry_after();
    TurnedAway { door, problem, challenge: refusal.challenge(), trace }
}

fn too_large(limit: usize) -> Problem {
    codes::BODY_TOO_LARGE.because(format!("at most {limit} bytes are taken")).with("limit_bytes", limit)
}

/// A body within the limit of size and time, or the problem of one that is not.
pub async fn read_body(body: Body, limit: usize, arrival: Duration) -> Result<Bytes, Problem> {
    match tokio::time::timeout(arrival, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Ok(Err(_)) => Err(codes::INVALID_REQUEST.because("the body broke off")),
        Err(_) => {
            let bound = arrival.as_millis();
            Err(codes::REQUEST_TOO_SLOW.because(format!("the body must arrive within {bound} ms")))
        }
    }
}

/// Nothing is decoded here, and what another reader would decode first is not read as it stands (RFC 9110, section
/// 15.5.16).
fn check_coding(headers: &HeaderMap) -> Result<(), Problem> {
    let is_plain = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).iter().all(is_plain) {
        return Ok(());
    }
    Err(codes::UNSUPPORTED_MEDIA_TYPE.because("Content-Encoding: the body must come as it is"))
}

/// A header that must not be repeated, in visible ASCII.
pub(crate) fn one(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match value.to_str() {
        // `to_str` lets tabs through.
        Ok(value) if values.next().is_none() && !value.contains('\t') => Ok(Some(value.to_owned())),
        _ => Err(named::refused(name.as_str())),
    }
}

/// The media type without its parameters, lower case. Two are joined, as some gateways hand them over, and are
/// then none that any door takes.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(CONTENT_TYPE).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let first = all.next()?.into_owned();
    let joined = all.fold(first, |joined, next| joined + "," + &next);
    // The parameters of the first would hide the second.
    let read =
        if joined.contains(',') { joined.as_str() } else { joined.split(';').next().unwrap_or_default() };
    Some(read.trim().to_ascii_lowercase())
}

/// The caller's own request identifier when it is plain, else the trace's.
fn request_id(headers: &HeaderMap, trace: &TraceParent) -> String {
    let plain = headers.get(REQUEST_ID).and_then(plain).map(str::to_owned);
    plain.unwrap_or_else(|| trace.trace_id().to_owned())
}

/// A request identifier that can stand in a header, a log and a record as it is.
fn plain(id: &HeaderValue) -> Option<&str> {
    let id = id.to_str().ok().filter(|id| (1..=128).contains(&id.len()))?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    id.bytes().all(fits).then_some(id)
}

/// The caller's own request identifier, when it is plain: its answer carries it too.
pub(crate) fn brought_id(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(REQUEST_ID).filter(|id| plain(id).is_some()).cloned()
}
