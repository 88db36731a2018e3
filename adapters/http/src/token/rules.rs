//! What a token must be to be taken, and where the keys that say so come from.

use std::time::Duration;

use url::Url;

use super::key_set::KeySet;
use super::refusal::TokenRefusal;

/// The most that clocks may differ; more would let expired tokens live on.
pub const MAX_LEEWAY: Duration = Duration::from_secs(30);

/// What a token must be to be taken.
#[derive(Debug)]
pub struct TokenRules {
    /// `iss`, to the letter.
    pub issuer: String,
    /// `aud` must name one of these.
    pub audience: Vec<String>,
    /// How far this clock and the issuer's may differ, in whole seconds, at most [`MAX_LEEWAY`].
    pub leeway: Duration,
    /// Which `typ` the header may have.
    pub types: TokenTypes,
    /// The keys that sign.
    pub keys: KeySource,
}

/// Which tokens count as access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenTypes {
    /// `at+jwt` (RFC 9068), and also `JWT` or none, as issuers older than that standard write.
    #[default]
    AccessTokenOrJwt,
    /// `at+jwt` only, for an issuer that signs other tokens for the same audience.
    AccessTokenOnly,
}

/// Where the keys come from.
#[derive(Debug)]
pub enum KeySource {
    /// Given once and for all: a JWK Set from the configuration or a file, a secret, the development key.
    Static(KeySet),
    /// A JWK Set at an address: https, or http on this machine, or any http when `plain_http` says so.
    Remote {
        /// The address.
        url: Url,
        /// Whether http to another machine is taken, inside a mesh that encrypts.
        plain_http: bool,
    },
    /// The `jwks_uri` of the issuer's OpenID Connect metadata.
    Discovery {
        /// As for [`KeySource::Remote`].
        plain_http: bool,
    },
}

/// The rules can verify nothing, or too much.
#[derive(Debug, thiserror::Error)]
pub enum TokenRulesError {
    /// Without an issuer anybody's token would do.
    #[error("the issuer is empty")]
    NoIssuer,
    /// Without an audience a token for any other service would do.
    #[error("no audience is named, or an empty one")]
    NoAudience,
    /// More than [`MAX_LEEWAY`].
    #[error("a leeway of more than 30 seconds")]
    Leeway,
    /// Keys over plain http from another machine, a password in the address, or no address at all.
    #[error("keys must come by https, or by http from this machine: {0}")]
    Address(String),
    /// The HTTP client could not be made.
    #[error("the client that fetches keys could not be made")]
    Client(#[from] reqwest::Error),
}

impl TokenTypes {
    /// `typ` is a media type without its `application/` (RFC 7515, section 4.1.9), in any case.
    pub(super) fn check(self, typ: Option<&str>) -> Result<(), TokenRefusal> {
        let typ = typ.map(str::to_ascii_lowercase);
        let fits = match typ.as_deref() {
            Some("at+jwt" | "application/at+jwt") => true,
            Some("jwt") | None => self == Self::AccessTokenOrJwt,
            Some(_) => false,
        };
        if fits { Ok(()) } else { Err(TokenRefusal::Type) }
    }
}
