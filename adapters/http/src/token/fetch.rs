//! One bounded request for a JWK Set, directly or by the issuer's metadata.

use std::time::Duration;

use http::header::CACHE_CONTROL;
use reqwest::{Client, Response};
use url::{Host, Url};

use super::key_set::{KeySet, KeySetError};
use crate::client;

/// The largest answer that is read; what AWS's HTTP API authorizer allows too.
const MAX_ANSWER_BYTES: usize = 150_000;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(3);

/// Why the keys did not come.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the request failed")]
    Request(#[from] reqwest::Error),
    #[error("the answer's status is {0}, not 200")]
    Status(u16),
    #[error("the answer is longer than {MAX_ANSWER_BYTES} bytes or not UTF-8")]
    Unreadable,
    #[error(transparent)]
    KeySet(#[from] KeySetError),
    #[error("the metadata is not of this issuer or has no acceptable jwks_uri")]
    Metadata,
}

/// Where the keys are.
#[derive(Debug)]
pub(super) enum Location {
    /// The set itself.
    Jwks(Url),
    /// `/.well-known/openid-configuration` of this issuer names it (OpenID Connect Discovery 1.0, section 4).
    Issuer { issuer: String, metadata: Url, plain_http: bool },
}

/// What came back.
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    /// `max-age` of `Cache-Control` (RFC 9111), when there is one.
    pub(super) max_age: Option<Duration>,
}

/// A client that neither follows redirects nor waits long: the keys decide who may enter, so they come from
/// the configured place or not at all.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    client::builder().connect_timeout(CONNECT_TIMEOUT).timeout(TOTAL_TIMEOUT).build()
}

/// Whether keys may come from here: https, or http that does not leave the machine or is asked for.
pub(super) fn is_acceptable(url: &Url, plain_http: bool) -> bool {
    let loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let scheme = match url.scheme() {
        "https" => true,
        "http" => loopback || plain_http,
        _ => false,
    };
    // A password in the address would end up in a log.
    scheme && url.username().is_empty() && url.password().is_none()
}

/// Fetches the set.
pub(super) async fn fetch(client: &Client, location: &Location) -> Result<Fetched, FetchError> {
    let url = match location {
        Location::Jwks(url) => url.clone(),
        Location::Issuer { issuer, metadata, plain_http } => {
            let (text, _) = get(client, metadata.clone()).await?;
            jwks_uri(&text, issuer, *plain_http).ok_or(FetchError::Metadata)?
        }
    };
    let (text, max_age) = get(client, url).await?;
    Ok(Fetched { keys: KeySet::parse(&text)?, max_age })
}

fn jwks_uri(metadata: &str, issuer: &str, plain_http: bool) -> Option<Url> {
    let metadata = super::json::Object::read(metadata.as_bytes())?;
    // Identical, or another issuer's metadata could bring its keys here.
    if metadata.text("issuer").ok()?? != issuer {
        return None;
    }
    let url = Url::parse(metadata.text("jwks_uri").ok()??).ok()?;
    is_acceptable(&url, plain_http).then_some(url)
}

async fn get(client: &Client, url: Url) -> Result<(String, Option<Duration>), FetchError> {
    let mut response = client.get(url).send().await?;
    if response.status() != http::StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let max_age = max_age(&response);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(FetchError::Unreadable);
        }
        body.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(body).map_err(|_| FetchError::Unreadable)?;
    Ok((text, max_age))
}

fn max_age(response: &Response) -> Option<Duration> {
    let value = response.headers().get(CACHE_CONTROL)?.to_str().ok()?;
    let seconds = value.split(',').find_map(|part| {
        let (name, seconds) = part.trim().split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then(|| seconds.trim_matches('"').parse().ok())?
    })?;
    Some(Duration::from_secs(seconds))
}
