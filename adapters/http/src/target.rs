//! What a request is for: a path, a query and a host that every reader understands alike.
//!
//! Gateways, authorizers, access logs and routers must see the same, so dot segments and encoded separators are
//! refused and not resolved. Every front asks here, so that the same request gets the same answer through each.

use florin_kernel::problem::{Class, Code};
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, Request, Version};

/// Why nobody should answer this target. Nothing of what was sent is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetRefusal {
    /// Not an absolute path of RFC 3986 that is UTF-8 when decoded.
    #[error("the path holds a character that must be percent-encoded, or a broken percent-encoding")]
    Path,
    /// A path that another reader could take for a different one.
    #[error("the path holds a dot segment, or an encoded slash, backslash, dot or NUL")]
    AmbiguousPath,
    /// Not a query of RFC 3986.
    #[error("the query holds a character that must be percent-encoded")]
    Query,
    /// Not one `host[:port]`.
    #[error("the Host header is not one host with an optional port")]
    Host,
}

impl TargetRefusal {
    /// The stable code.
    pub const fn code(self) -> Code {
        let code = match self {
            Self::Path => "invalid_path",
            Self::AmbiguousPath => "ambiguous_path",
            Self::Query => "invalid_query",
            Self::Host => "invalid_host",
        };
        Code::new(code, Class::Malformed, "The request is not valid HTTP.")
    }
}

/// Checks the target of a request that came over a socket.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), TargetRefusal> {
    // HTTP/2 names its host in the target (RFC 9113, section 8.3.1); HTTP/1.0 may name none.
    if request.version() == Version::HTTP_11 && !request.headers().contains_key(HOST) {
        return Err(TargetRefusal::Host);
    }
    check_host(request.headers())?;
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

/// Refuses what cannot stand in a request target. A broken percent-encoding is left to whoever decodes it:
/// REST APIs decode before we see it, and every front is to give the same answer.
pub fn check_query(query: &str) -> Result<(), TargetRefusal> {
    let fits = query.bytes().all(|b| matches!(b, 0x21..=0x7e) && !matches!(b, b'"' | b'#' | b'<' | b'>'));
    if fits { Ok(()) } else { Err(TargetRefusal::Query) }
}

/// RFC 9112, 3.2: at most one Host, and it is a host with an optional port.
pub fn check_host(headers: &HeaderMap) -> Result<(), TargetRefusal> {
    let mut hosts = headers.get_all(HOST).iter();
    let Some(host) = hosts.next() else { return Ok(()) };
    if hosts.next().is_some() {
        return Err(TargetRefusal::Host);
    }
    let authority = Authority::try_from(host.as_bytes()).map_err(|_| TargetRefusal::Host)?;
    let after_host = authority.as_str().strip_prefix(authority.host()).ok_or(TargetRefusal::Host)?;
    let port_fits = after_host.is_empty() || authority.port_u16().is_some();
    if authority.host().is_empty() || authority.as_str().contains('@') || !port_fits {
        return Err(TargetRefusal::Host);
    }
    Ok(())
}
