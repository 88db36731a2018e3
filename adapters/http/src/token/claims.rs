//! The claims of a verified token (RFC 7519, RFC 9068) and the caller they name.

use std::collections::BTreeSet;
use std::time::Duration;

use florin_kernel::caller::{Caller, TenantId};
use florin_kernel::time::Timestamp;
use serde_json::Value;

use super::json::Object;
use super::refusal::TokenRefusal;

/// The longest `sub` and `client_id` (OpenID Connect Core, section 2: 255 characters).
const MAX_NAME_BYTES: usize = 255;

/// What the claims must say.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) issuer: String,
    pub(super) audience: Vec<String>,
    pub(super) leeway: Duration,
}

impl Expected {
    /// The claims of a payload that this issuer made for us and that is good at this instant. The signature was
    /// checked before.
    pub(super) fn claims(&self, payload: &[u8], now: Timestamp) -> Result<Object, TokenRefusal> {
        let claims = Object::read(payload).ok_or(TokenRefusal::Malformed)?;
        if text(&claims, "iss")?.ok_or(TokenRefusal::Claim("iss"))? != self.issuer {
            return Err(TokenRefusal::Issuer);
        }
        if !audiences(&claims)?.iter().any(|named| self.audience.iter().any(|ours| ours == named)) {
            return Err(TokenRefusal::Audience);
        }
        self.check_times(&claims, now)?;
        Ok(claims)
    }

    /// The caller that a payload names at this instant.
    pub(super) fn caller(&self, payload: &[u8], now: Timestamp) -> Result<Caller, TokenRefusal> {
        let claims = self.claims(payload, now)?;
        let subject = name(&claims, "sub")?.ok_or(TokenRefusal::Claim("sub"))?;
        let client = match name(&claims, "client_id")? {
            Some(client) => client,
            None => name(&claims, "azp")?.unwrap_or(subject),
        };
        let tenant = text(&claims, "tenant")?
            .and_then(|tenant| tenant.parse::<TenantId>().ok())
            .ok_or(TokenRefusal::Claim("tenant"))?;
        Ok(Caller {
            subject: subject.to_owned(),
            client: client.to_owned(),
            tenant,
            scopes: scopes(&claims)?,
        })
    }

    fn check_times(&self, claims: &Object, now: Timestamp) -> Result<(), TokenRefusal> {
        // Wide integers: an `exp` at the far end of u64 must not wrap round into the past or future.
        let now = i128::from(now.as_micros());
        let leeway = i128::from(self.leeway.as_secs()) * 1_000_000;
        let expires = instant(claims, "exp")?.ok_or(TokenRefusal::Claim("exp"))?;
        let not_before = instant(claims, "nbf")?;
        let issued = instant(claims, "iat")?;
        // "on or after which the JWT MUST NOT be accepted" (RFC 7519, section 4.1.4).
        if now >= expires + leeway {
            return Err(TokenRefusal::Expired);
        }
        if [not_before, issued].into_iter().flatten().any(|start| now + leeway < start) {
            return Err(TokenRefusal::NotYetValid);
        }
        Ok(())
    }
}

/// A NumericDate in microseconds. Whole seconds only: a float rounds differently from reader to reader, and
/// no issuer needs one.
fn instant(claims: &Object, claim: &'static str) -> Result<Option<i128>, TokenRefusal> {
    let Some(value) = claims.get(claim) else { return Ok(None) };
    let seconds = value.as_u64().ok_or(TokenRefusal::Claim(claim))?;
    Ok(Some(i128::from(seconds) * 1_000_000))
}

fn text<'a>(claims: &'a Object, claim: &'static str) -> Result<Option<&'a str>, TokenRefusal> {
    claims.text(claim).map_err(|_| TokenRefusal::Claim(claim))
}

/// A name that can stand in a log line and an audit record: not empty, not endless, no control characters, and not the
/// system's own.
fn name<'a>(claims: &'a Object, claim: &'static str) -> Result<Option<&'a str>, TokenRefusal> {
    let named = text(claims, claim)?;
    let fits = |it: &str| {
        (1..=MAX_NAME_BYTES).contains(&it.len())
            && !it.chars().any(char::is_control)
            && !Caller::is_reserved(it)
    };
    if named.is_some_and(|it| !fits(it)) { Err(TokenRefusal::Claim(claim)) } else { Ok(named) }
}

/// `aud` is a string or an array of strings (RFC 7519, section 4.1.3).
fn audiences(claims: &Object) -> Result<Vec<&str>, TokenRefusal> {
    match claims.get("aud") {
        Some(Value::String(one)) => Ok(vec![one]),
        Some(_) => claims.texts("aud").map(Option::unwrap_or_default).map_err(|_| TokenRefusal::Claim("aud")),
        None => Err(TokenRefusal::Claim("aud")),
    }
}

/// `scope` as RFC 8693 has it, a string of words; else `scp`, an array or such a string, as some issuers write.
fn scopes(claims: &Object) -> Result<BTreeSet<String>, TokenRefusal> {
    let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    if let Some(scope) = text(claims, "scope")? {
        return Ok(words(scope));
    }
    match claims.get("scp") {
        None => Ok(BTreeSet::new()),
        Some(Value::String(scope)) => Ok(words(scope)),
        Some(_) => {
            let list = claims.texts("scp").map_err(|_| TokenRefusal::Claim("scp"))?.unwrap_or_default();
            Ok(list.into_iter().map(str::to_owned).collect())
        }
    }
}
