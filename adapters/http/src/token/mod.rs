//! Bearer tokens: from an `Authorization` field to a caller, or to a refusal.
//!
//! The key decides how a token is verified, never the token (RFC 8725, section 3.1). Time is given.

mod claims;
mod development;
mod fetch;
mod json;
mod jws;
mod key;
mod key_set;
mod refusal;
mod remote;
mod roca;
mod rules;

use std::sync::Arc;

use florin_kernel::caller::Caller;
use florin_kernel::time::Timestamp;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use url::Url;

use claims::Expected;
pub use development::{DevelopmentKey, DevelopmentKeyError};
use fetch::Location;
use jws::CompactJws;
pub use jws::MAX_TOKEN_BYTES;
pub use key_set::{IgnoredKey, KeySet, KeySetError};
pub use refusal::{TokenRefusal, insufficient_scope};
use remote::RemoteKeys;
pub use rules::{KeySource, MAX_LEEWAY, TokenRules, TokenRulesError, TokenTypes};

/// Verifies tokens by one set of rules.
#[derive(Debug)]
pub struct Verifier {
    expected: Expected,
    types: TokenTypes,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    Static(Arc<KeySet>),
    Remote(RemoteKeys),
}

impl Verifier {
    /// A verifier of these rules. Keys across the network are fetched when first needed, or by
    /// [`Verifier::warm`].
    ///
    /// # Errors
    /// When the rules are too weak or name no acceptable address.
    pub fn new(rules: TokenRules) -> Result<Self, TokenRulesError> {
        let TokenRules { issuer, audience, leeway, types, keys } = rules;
        if issuer.is_empty() {
            return Err(TokenRulesError::NoIssuer);
        }
        if audience.is_empty() || audience.iter().any(String::is_empty) {
            return Err(TokenRulesError::NoAudience);
        }
        if leeway > MAX_LEEWAY {
            return Err(TokenRulesError::Leeway);
        }
        let acceptable = |url: Url, plain_http| {
            if fetch::is_acceptable(&url, plain_http) {
                Ok(url)
            } else {
                // Without what may be a password.
                Err(TokenRulesError::Address(url.host_str().unwrap_or_default().to_owned()))
            }
        };
        let keys = match keys {
            KeySource::Static(set) => Keys::Static(Arc::new(set)),
            KeySource::Remote { url, plain_http } => {
                Keys::Remote(RemoteKeys::new(Location::Jwks(acceptable(url, plain_http)?))?)
            }
            KeySource::Discovery { plain_http } => {
                let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
                let metadata = Url::parse(&address).map_err(|_| TokenRulesError::Address(issuer.clone()))?;
                let metadata = acceptable(metadata, plain_http)?;
                Keys::Remote(RemoteKeys::new(Location::Issuer {
                    issuer: issuer.clone(),
                    metadata,
                    plain_http,
                })?)
            }
        };
        Ok(Self { expected: Expected { issuer, audience, leeway }, types, keys })
    }

    /// Fetches the keys before the first request needs them.
    ///
    /// # Errors
    /// [`TokenRefusal::KeysAway`], after which requests try again by themselves.
    pub async fn warm(&self, now: Timestamp) -> Result<(), TokenRefusal> {
        match &self.keys {
            Keys::Static(_) => Ok(()),
            Keys::Remote(remote) => remote.keys(None, now).await.map(drop),
        }
    }

    /// The caller of a request with these header fields.
    ///
    /// # Errors
    /// As [`Verifier::verify`], and [`TokenRefusal::Repeated`] for two `Authorization` fields.
    pub async fn caller(&self, headers: &HeaderMap, now: Timestamp) -> Result<Caller, TokenRefusal> {
        self.verify(authorization(headers)?, now).await
    }

    /// Whether a request bears a token of this issuer for this audience, whoever it names: a platform's own
    /// identity has no tenant and no scope.
    ///
    /// # Errors
    /// As [`Verifier::caller`], for all but the names.
    pub async fn admit(&self, headers: &HeaderMap, now: Timestamp) -> Result<(), TokenRefusal> {
        let jws = self.verified(authorization(headers)?, now).await?;
        self.expected.claims(&jws.payload, now).map(drop)
    }

    /// The caller that the value of the one `Authorization` field names.
    ///
    /// # Errors
    /// Why there is no caller: 401, or 503 when the keys are away.
    pub async fn verify(
        &self,
        authorization: Option<&HeaderValue>,
        now: Timestamp,
    ) -> Result<Caller, TokenRefusal> {
        let jws = self.verified(authorization, now).await?;
        self.expected.caller(&jws.payload, now)
    }

    /// A token whose type fits and whose signature is the issuer's.
    async fn verified<'h>(
        &self,
        authorization: Option<&'h HeaderValue>,
        now: Timestamp,
    ) -> Result<CompactJws<'h>, TokenRefusal> {
        let token = bearer_token(authorization.ok_or(TokenRefusal::Missing)?)?;
        let jws = CompactJws::parse(token)?;
        self.types.check(jws.typ.as_deref())?;
        let keys = match &self.keys {
            Keys::Static(set) => Arc::clone(set),
            Keys::Remote(remote) => remote.keys(jws.kid.as_deref(), now).await?,
        };
        keys.verify_parsed(&jws)?;
        Ok(jws)
    }
}

/// The one `Authorization` field, if there is one.
fn authorization(headers: &HeaderMap) -> Result<Option<&HeaderValue>, TokenRefusal> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    match (fields.next(), fields.next()) {
        (first, None) => Ok(first),
        _ => Err(TokenRefusal::Repeated),
    }
}

/// The token of `Bearer` in any case, one or more spaces, token (RFC 9110, section 11.4; RFC 6750, section 2.1).
fn bearer_token(authorization: &HeaderValue) -> Result<&str, TokenRefusal> {
    let value = authorization.to_str().map_err(|_| TokenRefusal::Malformed)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(TokenRefusal::OtherScheme);
    }
    Ok(token.trim_start_matches(' '))
}
