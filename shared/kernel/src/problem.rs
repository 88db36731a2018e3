//! Problems: what a caller is told when the answer is no (RFC 9457), under stable codes.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

/// What kind of no it is. The HTTP status follows from it, here and nowhere else.
///
/// The table stands in the kernel because a stored answer holds its final bytes, and they are stored in the
/// room's own transaction; rooms name classes and never see a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The request is not understood: 400.
    Malformed,
    /// No valid token: 401.
    Unauthenticated,
    /// The payment method was declined: 402.
    Declined,
    /// The token does not allow it: 403.
    Forbidden,
    /// There is no such thing in this tenant: 404.
    NotFound,
    /// The path knows other methods: 405.
    MethodNotAllowed,
    /// The request did not arrive in time: 408.
    TooSlow,
    /// The thing's state does not allow it: 409.
    Conflict,
    /// The body is over the limit: 413.
    TooLarge,
    /// The body's media type is not taken: 415.
    Unsupported,
    /// Well formed, and still not acceptable: 422.
    Unprocessable,
    /// Too many requests at once: 429.
    TooMany,
    /// Our fault: 500.
    Internal,
    /// A part we need is away: 503.
    Unavailable,
    /// It took longer than this door allows: 504.
    Timeout,
}

impl Class {
    /// The HTTP status code (RFC 9110).
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthenticated => 401,
            Self::Declined => 402,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooSlow => 408,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::Unsupported => 415,
            Self::Unprocessable => 422,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
            Self::Timeout => 504,
        }
    }
}

/// A stable code with its class and a title that does not change from case to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// For example `payment_state_conflict`; never renamed.
    pub code: &'static str,
    /// What kind of no it is.
    pub class: Class,
    /// One sentence for people.
    pub title: &'static str,
}

impl Code {
    /// A code; the table of a service's codes is made of these.
    pub const fn new(code: &'static str, class: Class, title: &'static str) -> Self {
        Self { code, class, title }
    }

    /// The problem with this code and what is wrong this time.
    pub fn because(self, detail: impl Into<String>) -> Problem {
        Problem {
            code: self,
            detail: shortened(detail.into()),
            errors: Vec::new(),
            extra: Map::new(),
            retry_after: None,
        }
    }
}

/// The most characters of a text that a problem repeats: what somebody sent is not sent back at length.
const MOST_SAID: usize = 300;

/// The text, cut off where it is too long.
pub(crate) fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MOST_SAID) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The codes that every door may answer.
pub mod codes {
    use super::{Class, Code};

    macro_rules! codes {
        ($($name:ident $code:literal $class:ident $title:literal;)*) => {
            $(#[doc = $title] pub const $name: Code = Code::new($code, Class::$class, $title);)*

            /// All of them.
            pub(crate) const ALL: &[Code] = &[$($name),*];
        };
    }

    // A macro because a table is what it is: one line a code.
    codes! {
        INVALID_REQUEST "invalid_request" Malformed "The request is not valid.";
        INVALID_PATH "invalid_path" Malformed "The request is not valid HTTP.";
        AMBIGUOUS_PATH "ambiguous_path" Malformed "The request is not valid HTTP.";
        INVALID_QUERY "invalid_query" Malformed "The request is not valid HTTP.";
        INVALID_HOST "invalid_host" Malformed "The request is not valid HTTP.";
        INVALID_METHOD "invalid_method" Malformed "The request is not valid HTTP.";
        INVALID_HEADER "invalid_header" Malformed "The request is not valid HTTP.";
        INVALID_BODY_ENCODING "invalid_body_encoding" Malformed "The request is not valid HTTP.";
        MALFORMED_EVENT "malformed_event" Malformed "The request is not valid HTTP.";
        UNAUTHENTICATED "unauthenticated" Unauthenticated "A valid bearer token is needed.";
        FORBIDDEN "forbidden" Forbidden "The token does not allow this operation.";
        NOT_FOUND "not_found" NotFound "There is no such thing.";
        METHOD_NOT_ALLOWED "method_not_allowed" MethodNotAllowed "This path knows other methods.";
        REQUEST_TOO_SLOW "request_too_slow" TooSlow "The request did not arrive in time.";
        BODY_TOO_LARGE "body_too_large" TooLarge "The body is over the limit.";
        UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" Unsupported "The body's media type is not taken here.";
        IDEMPOTENCY_KEY_REUSED "idempotency_key_reused" Unprocessable "Another request was made with this Idempotency-Key.";
        IDEMPOTENCY_KEY_IN_USE "idempotency_key_in_use" Conflict "A request with this Idempotency-Key is being handled.";
        EVENT_TOO_LARGE "event_too_large" TooLarge "What this would record is over the size every broker takes.";
        TOO_MANY_REQUESTS "too_many_requests" TooMany "Too many requests at once.";
        INTERNAL "internal" Internal "Something went wrong on our side.";
        RESPONSE_TOO_LARGE "response_too_large" Internal "The answer is larger than the platform takes.";
        UNAVAILABLE "unavailable" Unavailable "A part that is needed is away; try again.";
        OUTCOME_UNKNOWN "outcome_unknown" Unavailable "Whether it was done is not known; repeat with the same Idempotency-Key.";
        TIMEOUT "timeout" Timeout "It took longer than this door allows.";
    }
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where in the body: a JSON pointer (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Which parameter of path, query or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// What is wrong with it.
    pub detail: String,
}

/// A problem document in the making.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// What is wrong this time.
    pub detail: String,
    /// The fields that are wrong.
    pub errors: Vec<FieldError>,
    /// Members of this code's own, for example `decline_code`.
    pub extra: Map<String, Value>,
    /// When to come again.
    pub retry_after: Option<Duration>,
}

/// The media type of a problem (RFC 9457, section 3).
pub const PROBLEM_JSON: &str = "application/problem+json";

impl Problem {
    /// Adds a member of this code's own.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    /// Names a wrong field of the body by JSON pointer.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        let detail = self.detail.clone();
        self.errors.push(FieldError { pointer: Some(pointer.into()), parameter: None, detail });
        self
    }

    /// Says when to come again.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// The HTTP status code.
    pub fn status(&self) -> u16 {
        self.code.class.status()
    }

    /// The document. `type` is a URN: the code is what programs read, and no address can rot.
    pub fn to_json(&self, trace_id: &str) -> Value {
        let Code { code, title, .. } = self.code;
        let mut document = json!({
            "type": format!("urn:florin:problem:{code}"),
            "title": title,
            "status": self.status(),
            "detail": self.detail,
            "code": code,
            "trace_id": trace_id,
        });
        let members = document.as_object_mut().expect("json! made an object");
        if !self.errors.is_empty() {
            members.insert("errors".into(), json!(self.errors));
        }
        members.extend(self.extra.clone());
        document
    }
}
