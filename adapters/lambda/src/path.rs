//! The one canonical path: as the client encoded it, without stage or base path, never ambiguous.

use std::borrow::Cow;
use std::str::FromStr;

use florin_http::target::{check_path, escaped};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::event::{Context, HttpEvent};
use crate::kind::Front;
use crate::refusal::Refusal;

/// A custom domain's base path mapping, `/shop`, which API Gateway leaves in the path it hands over. Empty: none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

/// The text is not a base path.
#[derive(Debug, thiserror::Error)]
#[error("not a base path: it starts with a slash, does not end with one and holds no dot segment")]
pub struct NotABasePath;

impl FromStr for BasePath {
    type Err = NotABasePath;
    fn from_str(text: &str) -> Result<Self, NotABasePath> {
        let fits = text.is_empty() || (check_path(text).is_ok() && !text.ends_with('/'));
        if fits { Ok(Self(text.to_owned())) } else { Err(NotABasePath) }
    }
}

/// The path of an event that came through this front.
pub(crate) fn canonical(front: Front, event: &HttpEvent, base: &BasePath) -> Result<String, Refusal> {
    let sent = match front {
        Front::ApiGatewayV2 => event.raw_path.as_deref(),
        Front::ApiGatewayV1 | Front::Alb { .. } => event.path.as_deref(),
    };
    let sent = sent.filter(|path| !path.is_empty()).unwrap_or("/");
    let path = if is_decoded(front, event) { encode(sent) } else { Cow::Borrowed(sent) };
    check_path(&path)?;
    let path = match stage_in_path(front, event) {
        Some(stage) => without_prefix(&path, &format!("/{stage}")),
        None => &path,
    };
    Ok(without_prefix(path, &base.0).to_owned())
}

/// Whether AWS hands this path over decoded: HTTP APIs do, in both payload formats, whatever `rawPath` says;
/// REST APIs, function URLs and load balancers keep the client's encoding.
fn is_decoded(front: Front, event: &HttpEvent) -> bool {
    let is_function_url =
        || event.request_context.domain_name.as_deref().is_some_and(|name| name.contains(".lambda-url."));
    match front {
        Front::ApiGatewayV2 => !is_function_url(),
        Front::ApiGatewayV1 => event.version.as_deref() == Some("1.0"),
        Front::Alb { .. } => false,
    }
}

/// What cannot stand in a path literally (RFC 3986, `pchar`), apart from the percent sign.
const NOT_LITERAL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The same for a path that is known to be decoded, where a percent sign is one of the characters.
const NOT_LITERAL_DECODED: &AsciiSet = &NOT_LITERAL.add(b'%');

/// Encodes a decoded path again. Where every percent sign starts a valid escape they are left alone, because
/// emulators hand the path over encoded; the escapes are then checked like any other.
fn encode(path: &str) -> Cow<'_, str> {
    let lone_percent =
        path.bytes().enumerate().any(|(at, byte)| byte == b'%' && escaped(&path.as_bytes()[at..]).is_none());
    utf8_percent_encode(path, if lone_percent { NOT_LITERAL_DECODED } else { NOT_LITERAL }).into()
}

/// The stage, where AWS leaves it in the path: HTTP APIs do for a named stage on their own domain and not on
/// a custom one; REST APIs strip it. A path that merely looks like the stage is never touched.
fn stage_in_path(front: Front, event: &HttpEvent) -> Option<&str> {
    let Context { api_id, domain_name, stage, .. } = &event.request_context;
    let stage = stage.as_deref().filter(|stage| *stage != "$default" && !stage.is_empty())?;
    let is_http_api = match front {
        Front::ApiGatewayV2 => true,
        Front::ApiGatewayV1 => event.version.as_deref() == Some("1.0"),
        Front::Alb { .. } => false,
    };
    let own_domain = format!("{}.execute-api.", api_id.as_deref()?);
    (is_http_api && domain_name.as_deref()?.starts_with(&own_domain)).then_some(stage)
}

/// The path after a prefix of whole segments, once; the path itself where it does not start so.
fn without_prefix<'a>(path: &'a str, prefix: &str) -> &'a str {
    match path.strip_prefix(prefix) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}
