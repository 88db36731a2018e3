//! Why a token is refused, said in words that never hold any of the token (RFC 6750, section 3).

use std::time::Duration;

use http::{HeaderValue, StatusCode};

/// The protection space of every door (RFC 9110, section 11.5).
const REALM: &str = "Bearer realm=\"florin\"";

/// Why a request has no caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// No `Authorization` field.
    #[error("no bearer token was sent")]
    Missing,
    /// `Authorization` speaks another scheme, such as Basic.
    #[error("the Authorization scheme is not Bearer")]
    OtherScheme,
    /// Two `Authorization` fields: proxies disagree on which one counts.
    #[error("more than one Authorization field was sent")]
    Repeated,
    /// Longer than [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES).
    #[error("the token is too long")]
    TooLong,
    /// Not three base64url parts, or JSON that is wrong or names a member twice.
    #[error("the token is not a well-formed signed JWT")]
    Malformed,
    /// A header member that changes how the token would be verified: `crit`, `jwk`, `jku`, `x5u`, `x5c`...
    #[error("the token's header holds '{0}', which is not accepted")]
    HeaderMember(&'static str),
    /// `typ` is not that of an access token (RFC 9068).
    #[error("the token's type is not that of an access token")]
    Type,
    /// The header's `alg` is not the algorithm its key is for.
    #[error("the token's algorithm is not the one its key is for")]
    Algorithm,
    /// No key has the header's `kid`, or there are several keys and the header names none.
    #[error("the token's key is not known")]
    Key,
    /// The signature is not the key's.
    #[error("the token's signature is not valid")]
    Signature,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` lies ahead.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iss` is another issuer.
    #[error("the token's issuer is not accepted")]
    Issuer,
    /// `aud` names none of our audiences.
    #[error("the token is for another audience")]
    Audience,
    /// A claim that must be there is missing, or a claim has the wrong form.
    #[error("the token's claim '{0}' is missing or malformed")]
    Claim(&'static str),
    /// The issuer's keys were never loaded, or not for so long that they are no longer believed.
    #[error("the keys that verify tokens are away")]
    KeysAway {
        /// When another attempt to load them is due.
        retry_after: Duration,
    },
}

impl TokenRefusal {
    /// The stable code of the problem document.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::OtherScheme => "token_scheme_not_bearer",
            Self::Repeated => "token_repeated",
            Self::TooLong => "token_too_long",
            Self::Malformed => "token_malformed",
            Self::HeaderMember(_) => "token_header_refused",
            Self::Type => "token_type_refused",
            Self::Algorithm => "token_algorithm_refused",
            Self::Key => "token_key_unknown",
            Self::Signature => "token_signature_invalid",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::Issuer => "token_issuer_refused",
            Self::Audience => "token_audience_refused",
            Self::Claim(_) => "token_claim_refused",
            Self::KeysAway { .. } => "token_keys_unavailable",
        }
    }

    /// 401, or 503 when it is not the token that is at fault.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::KeysAway { .. } => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// For `Retry-After`, when the same token may be taken later.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeysAway { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// The value of `WWW-Authenticate`, which every 401 carries (RFC 9110, section 15.5.2).
    ///
    /// Without an error code when no token was sent, so that a client learns the scheme and nothing else.
    pub fn challenge(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::KeysAway { .. } => return None,
            Self::Missing | Self::OtherScheme => REALM.to_owned(),
            _ => format!("{REALM}, error=\"invalid_token\", error_description=\"{self}\""),
        };
        HeaderValue::try_from(text).ok()
    }
}

/// The value of `WWW-Authenticate` on a 403: the token is good and does not carry the scope.
pub fn insufficient_scope(scope: &str) -> HeaderValue {
    let plain: String = scope.chars().filter(|c| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~')).collect();
    let text = format!("{REALM}, error=\"insufficient_scope\", scope=\"{plain}\"");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(REALM))
}
