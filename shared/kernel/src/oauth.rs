//! The error format that OAuth 2.0 fixes (RFC 6749, section 5.2; RFC 6750, section 3.1).

use serde_json::{Value, json};

use crate::problem::{Class, Code, Problem, codes};

/// The `error` of a code: the room's own codes are OAuth's already, and what every door says has one of its names.
pub(crate) fn error_of(code: Code) -> &'static str {
    let of_every_door = codes::ALL.contains(&code) || code.code.starts_with("token_");
    match code.class {
        // RFC 6749, section 4.1.2.1, registered for every endpoint.
        Class::Unavailable | Class::Timeout => "temporarily_unavailable",
        _ if !of_every_door => code.code,
        Class::Internal => "server_error",
        Class::Unauthenticated => "invalid_token",
        Class::Forbidden => "insufficient_scope",
        Class::Malformed
        | Class::Declined
        | Class::NotFound
        | Class::MethodNotAllowed
        | Class::Conflict
        | Class::Unsupported
        | Class::Unprocessable
        | Class::TooSlow
        | Class::TooLarge
        | Class::TooMany => "invalid_request",
    }
}

/// The status: 400 unless OAuth or HTTP has a better one for it.
pub(crate) fn status_of(class: Class) -> u16 {
    match class {
        Class::Malformed
        | Class::Declined
        | Class::NotFound
        | Class::MethodNotAllowed
        | Class::Conflict
        | Class::Unsupported
        | Class::Unprocessable => 400,
        Class::Unauthenticated
        | Class::Forbidden
        | Class::TooSlow
        | Class::TooLarge
        | Class::TooMany
        | Class::Internal
        | Class::Unavailable
        | Class::Timeout => class.status(),
    }
}

/// The document of a refusal.
pub(crate) fn document(problem: &Problem) -> Value {
    json!({ "error": error_of(problem.code), "error_description": description(&problem.detail) })
}

/// The characters that `error_description` may hold; another one becomes a question mark.
fn description(detail: &str) -> String {
    let plain = |c: char| match c {
        '"' | '`' => '\'',
        '\\' => '/',
        ' '..='~' => c,
        _ => '?',
    };
    detail.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_door_says_has_the_name_that_oauth_gave_it() {
        let grant = Code::new("invalid_grant", Class::Malformed, "The code is not valid.");
        let token = Code::new("token_expired", Class::Unauthenticated, "A valid bearer token is needed.");
        let away = Code::new("token_keys_unavailable", Class::Unavailable, "The keys are away.");
        for (code, error, status) in [
            (grant, "invalid_grant", 400),
            (codes::INVALID_REQUEST, "invalid_request", 400),
            (codes::UNSUPPORTED_MEDIA_TYPE, "invalid_request", 400),
            (codes::BODY_TOO_LARGE, "invalid_request", 413),
            (token, "invalid_token", 401),
            (codes::FORBIDDEN, "insufficient_scope", 403),
            (codes::INTERNAL, "server_error", 500),
            (codes::OUTCOME_UNKNOWN, "temporarily_unavailable", 503),
            (away, "temporarily_unavailable", 503),
        ] {
            assert_eq!((error_of(code), status_of(code.class)), (error, status), "{code:?}");
        }
        let registered = [
            "invalid_request",
            "invalid_token",
            "insufficient_scope",
            "server_error",
            "temporarily_unavailable",
        ];
        for code in codes::ALL {
            assert!(registered.contains(&error_of(*code)), "{code:?} leaves as {}", error_of(*code));
        }
    }

    #[test]
    fn a_description_holds_only_what_the_rfc_lets_in() {
        let said = document(&codes::INVALID_REQUEST.because("\"größe\" is `un\\known`\n"));
        assert_eq!(said["error_description"], "'gr??e' is 'un/known'?");
    }
}
