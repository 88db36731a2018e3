//! One HTTP event becomes one validated `http::Request`, alike through every front.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use florin_http::target::TargetRefusal;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{Method, Request, Uri};
use serde_json::value::RawValue;

use crate::event::HttpEvent;
use crate::kind::Front;
use crate::path::{self, BasePath};
use crate::refusal::Refusal;
use crate::{headers, query};

/// What a synchronous invocation carries at most, event and answer alike: 6 MB, in bytes.
pub const LAMBDA_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// What a deployment says about its HTTP fronts.
#[derive(Clone, Debug)]
pub struct Options {
    /// The base path of a custom domain, taken off where the path starts with it.
    pub base_path: BasePath,
    /// The largest body after base64 was decoded, in bytes.
    pub max_body_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { base_path: BasePath::default(), max_body_bytes: LAMBDA_PAYLOAD_BYTES }
    }
}

/// The request that a front's event stands for, with its target in origin form (`/path?query`).
pub fn from_event(front: Front, event: &RawValue, options: &Options) -> Result<Request<Bytes>, Refusal> {
    let event: HttpEvent = serde_json::from_str(event.get()).map_err(|_| Refusal::Event)?;
    let method = method(front, &event)?;
    let mut target = path::canonical(front, &event, &options.base_path)?;
    let query = query::query(front, &event)?;
    if !query.is_empty() {
        target.push('?');
        target.push_str(&query);
    }
    let target = Uri::from_maybe_shared(Bytes::from(target)).map_err(|_| TargetRefusal::Path)?;
    let mut headers = headers::headers(front, &event)?;
    let body = body(event.body, event.is_base64_encoded.unwrap_or(false), options.max_body_bytes)?;
    if !body.is_empty() {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }

    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = target;
    *request.headers_mut() = headers;
    Ok(request)
}

fn method(front: Front, event: &HttpEvent) -> Result<Method, Refusal> {
    let name = match front {
        Front::ApiGatewayV2 => event.request_context.http.as_ref().map(|http| http.method.as_str()),
        Front::ApiGatewayV1 | Front::Alb { .. } => event.http_method.as_deref(),
    };
    Method::from_bytes(name.ok_or(Refusal::Event)?.as_bytes()).map_err(|_| Refusal::Method)
}

fn body(body: Option<String>, is_base64: bool, max_bytes: usize) -> Result<Bytes, Refusal> {
    let Some(body) = body else { return Ok(Bytes::new()) };
    // Four characters hold three bytes: what cannot fit is not decoded first.
    if is_base64 && body.len() / 4 * 3 > max_bytes.saturating_add(2) {
        return Err(Refusal::TooLarge);
    }
    let body = if is_base64 { STANDARD.decode(body).map_err(|_| Refusal::Body)? } else { body.into_bytes() };
    if body.len() > max_bytes { Err(Refusal::TooLarge) } else { Ok(Bytes::from(body)) }
}
