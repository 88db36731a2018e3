//! What a request is for: a path, a query and a host that every reader understands alike.
//!
//! Gateways, authorizers, access logs and routers must see the same, so dot segments and encoded separators are
//! refused and not resolved. Every front asks here, so that the same request gets the same answer through each.

use florin_kernel::problem::{Code, codes};
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Request, Version};

/// Why nobody should answer this target. Nothing of what was sent is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetRefusal {
    /// Not an absolute path of RFC 3986 that is UTF-8 when decoded.
    #[error("the path holds a character that must be percent-encoded, or a broken percent-encoding")]
    Path,
    /// A path that another reader could take for a different one.
    #[error("the path holds a dot segment, or an encoded slash, backslash, dot or NUL")]
    AmbiguousPath,
    /// Not a query of RFC 3986 that is UTF-8 when decoded.
    #[error("the query holds a character that must be percent-encoded, or is not UTF-8 when decoded")]
    Query,
    /// Not one `host[:port]`, or two that differ.
    #[error("the Host header or :authority is not one host with an optional port")]
    Host,
}

impl TargetRefusal {
    /// The stable code.
    pub const fn code(self) -> Code {
        match self {
            Self::Path => codes::INVALID_PATH,
            Self::AmbiguousPath => codes::AMBIGUOUS_PATH,
            Self::Query => codes::INVALID_QUERY,
            Self::Host => codes::INVALID_HOST,
        }
    }
}

/// Checks the target of a request that came over a socket.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), TargetRefusal> {
    // HTTP/2 names its host in the target (RFC 9113, section 8.3.1); HTTP/1.0 may name none.
    if request.version() == Version::HTTP_11 && !request.headers().contains_key(HOST) {
        return Err(TargetRefusal::Host);
    }
    check_host(request.headers())?;
    if let Some(authority) = request.uri().authority() {
        check_authority(authority)?;
        // RFC 9113, section 8.3.1. In HTTP/1.1 a target that names its host overrides the header (RFC 9112, 3.2.2).
        let host = request.headers().get(HOST).map(HeaderValue::as_bytes);
        let differs = host.is_some_and(|host| !host.eq_ignore_ascii_case(authority.as_str().as_bytes()));
        if request.version() == Version::HTTP_2 && differs {
            return Err(TargetRefusal::Host);
        }
    }
    check_path(request.uri().path())?;
    check_query(request.uri().query().unwrap_or_default())
}

/// Refuses what is not an absolute path, and what two readers could understand differently.
pub fn check_path(path: &str) -> Result<(), TargetRefusal> {
    if !path.starts_with('/') {
        return Err(TargetRefusal::Path);
    }
    let mut is_encoded = false;
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'%' => match escaped(&path.as_bytes()[at..]) {
                None => return Err(TargetRefusal::Path),
                Some(b'/' | b'\\' | b'.' | 0) => return Err(TargetRefusal::AmbiguousPath),
                Some(_) => is_encoded = true,
            },
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' => {}
            b'-' | b'.' | b'_' | b'~' | b':' | b'@' => {}
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => {}
            _ => return Err(TargetRefusal::Path),
        }
    }
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(TargetRefusal::AmbiguousPath);
    }
    if is_encoded && percent_encoding::percent_decode_str(path).decode_utf8().is_err() {
        return Err(TargetRefusal::Path);
    }
    Ok(())
}

/// The byte that a percent-encoding at the start of `bytes` stands for.
pub fn escaped(bytes: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(1)? * 16 + digit(2)?)
}

/// Refuses what cannot stand in a request target, and what is no UTF-8 when decoded: a decoder would put other
/// characters in its place. A broken percent-encoding is left to whoever decodes it: REST APIs decode before we
/// see it, and every front is to give the same answer.
pub fn check_query(query: &str) -> Result<(), TargetRefusal> {
    let fits = query.bytes().all(|b| matches!(b, 0x21..=0x7e) && !matches!(b, b'"' | b'#' | b'<' | b'>'));
    let is_text = || percent_encoding::percent_decode_str(query).decode_utf8().is_ok();
    if fits && is_text() { Ok(()) } else { Err(TargetRefusal::Query) }
}

/// RFC 9112, 3.2: at most one Host, and it is a host with an optional port.
pub fn check_host(headers: &HeaderMap) -> Result<(), TargetRefusal> {
    let mut hosts = headers.get_all(HOST).iter();
    let Some(host) = hosts.next() else { return Ok(()) };
    if hosts.next().is_some() {
        return Err(TargetRefusal::Host);
    }
    check_authority(&Authority::try_from(host.as_bytes()).map_err(|_| TargetRefusal::Host)?)
}

fn check_authority(authority: &Authority) -> Result<(), TargetRefusal> {
    let after_host = authority.as_str().strip_prefix(authority.host()).ok_or(TargetRefusal::Host)?;
    let port_fits = after_host.is_empty() || authority.port_u16().is_some();
    // A comma may stand in a host (RFC 3986, section 3.2.2) and in no name that resolves: some fronts join two
    // Host headers with one.
    if authority.host().is_empty() || authority.as_str().contains(['@', ',']) || !port_fits {
        return Err(TargetRefusal::Host);
    }
    Ok(())
}
