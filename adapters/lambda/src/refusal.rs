//! Why an HTTP event is refused before it becomes a request, as an RFC 9457 problem.

use bytes::Bytes;
use florin_kernel::problem::{Class, Code, PROBLEM_JSON, Problem, codes};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

/// What is wrong with a request. All are the caller's fault, and nothing of what was sent is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The event looks like this front's but does not hold what it must.
    #[error("the event is not a well-formed HTTP request")]
    Event,
    /// Not a token of RFC 9110.
    #[error("the method is not a token")]
    Method,
    /// Not an absolute path of RFC 3986.
    #[error("the path holds a character that must be percent-encoded, or a broken percent-encoding")]
    Path,
    /// A path that another reader could take for a different one.
    #[error("the path holds a dot segment, or an encoded slash, backslash, dot or NUL")]
    AmbiguousPath,
    /// Not a query of RFC 3986.
    #[error("the query holds a character that must be percent-encoded")]
    Query,
    /// A name that is not a token, a value with control characters, or more headers than fit.
    #[error("a header's name or value is not allowed")]
    Header,
    /// Not one `host[:port]`.
    #[error("the Host header is not one host with an optional port")]
    Host,
    /// Said to be base64 and is not.
    #[error("the body is not valid base64")]
    Body,
    /// Larger than this deployment takes.
    #[error("the body is larger than allowed")]
    TooLarge,
}

const fn malformed(code: &'static str) -> Code {
    Code::new(code, Class::Malformed, "The request is not valid HTTP.")
}

impl Refusal {
    /// The stable code.
    pub const fn code(self) -> Code {
        match self {
            Self::Event => malformed("malformed_event"),
            Self::Method => malformed("invalid_method"),
            Self::Path => malformed("invalid_path"),
            Self::AmbiguousPath => malformed("ambiguous_path"),
            Self::Query => malformed("invalid_query"),
            Self::Header => malformed("invalid_header"),
            Self::Host => malformed("invalid_host"),
            Self::Body => malformed("invalid_body_encoding"),
            Self::TooLarge => codes::BODY_TOO_LARGE,
        }
    }

    /// The answer, under the invocation's trace.
    pub fn answer(self, trace_id: &str) -> Response<Bytes> {
        answer(&self.code().because(self.to_string()), trace_id)
    }
}

/// A problem where no router is there to answer it: before the request exists, and after its answer does.
pub(crate) fn answer(problem: &Problem, trace_id: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(problem.to_json(trace_id).to_string()));
    *response.status_mut() =
        StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    response
}
