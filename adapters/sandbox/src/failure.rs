//! How the provider says no: `{"error": {"code", "message"}}`.

use axum::response::{IntoResponse, Response};
use florin_kernel::db::{CommitError, DbError, Trouble};
use florin_kernel::problem::Problem;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// A no with its status, its stable code and a sentence for people.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<&'static str>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None }
    }

    /// 400: the request is not understood.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// 409: what is there does not allow it.
    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 404.
    pub(crate) fn no_such_charge() -> Self {
        Self::new(StatusCode::NOT_FOUND, "charge_not_found", "There is no such charge.")
    }

    /// 500: our own mistake, logged here and not told.
    pub(crate) fn fault(why: &dyn std::fmt::Display) -> Self {
        tracing::error!(error.message = %why, "the sandbox failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong in the sandbox.")
    }

    /// The body, byte for byte as it is stored and sent.
    pub(crate) fn body(&self) -> String {
        json!({ "error": { "code": self.code, "message": self.message } }).to_string()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/json")], self.body()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        match error.trouble() {
            // The pool was busy for too long, or another process held the file: nothing was done.
            Trouble::Away | Trouble::Contended | Trouble::Locked => {
                tracing::warn!(error.message = %error, "the sandbox's store is away");
                Self {
                    retry_after: Some("1"),
                    ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again.")
                }
            }
            Trouble::Unique | Trouble::Constraint | Trouble::Fault => Self::fault(&error),
        }
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        // Unknown too is "try again": the key finds what was committed.
        Self::from(error.into_error())
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::invalid(problem.detail)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::fault(&error)
    }
}
