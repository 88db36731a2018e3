//! Why an HTTP event is refused before it becomes a request, as an RFC 9457 problem.

use bytes::Bytes;
use florin_http::reply;
use florin_http::target::TargetRefusal;
use florin_kernel::answer::Answered;
use florin_kernel::problem::{Code, Problem, codes};
use http::Response;

/// What is wrong with a request. All are the caller's fault, and nothing of what was sent is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The event looks like this front's but does not hold what it must.
    #[error("the event is not a well-formed HTTP request")]
    Event,
    /// Not a token of RFC 9110.
    #[error("the method is not a token")]
    Method,
    /// A path, a query or a host that no front takes.
    #[error(transparent)]
    Target(#[from] TargetRefusal),
    /// A name that is not a token, a value with control characters, or more headers than fit.
    #[error("a header's name or value is not allowed")]
    Header,
    /// Said to be base64 and is not.
    #[error("the body is not valid base64")]
    Body,
    /// Larger than this deployment takes.
    #[error("the body is larger than allowed")]
    TooLarge,
}

impl Refusal {
    /// The stable code.
    pub const fn code(self) -> Code {
        match self {
            Self::Event => codes::MALFORMED_EVENT,
            Self::Method => codes::INVALID_METHOD,
            Self::Target(target) => target.code(),
            Self::Header => codes::INVALID_HEADER,
            Self::Body => codes::INVALID_BODY_ENCODING,
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
    let answered = Answered::problem(problem, trace_id);
    let body = answered.body.clone();
    let (parts, _) = reply::answered(answered, Some(trace_id)).into_parts();
    Response::from_parts(parts, body)
}
