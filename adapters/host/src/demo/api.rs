//! The suite's HTTP API as the demo uses it: asked again, under the same key, until the answer is final.

use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use serde_json::Value;

use super::answer::Reply;
use super::latency::Latencies;
use super::patience::Patience;

/// A suite at an address, asked with a token.
pub(super) struct Api {
    client: Client,
    base: String,
    authorization: HeaderValue,
    /// The bounds of waiting.
    pub(super) patience: Patience,
    /// How long its answers took.
    pub(super) latencies: Latencies,
}

/// One request, which may be made more than once.
pub(super) struct Ask<'a> {
    /// Under which name its latency is noted.
    pub(super) operation: &'static str,
    /// Where it goes.
    pub(super) to: To<'a>,
    /// The `Idempotency-Key`.
    pub(super) key: Option<&'a str>,
    /// The body.
    pub(super) body: Body<'a>,
}

/// Where a request goes. The token goes to the suite and nowhere else.
#[derive(Clone, Copy)]
pub(super) enum To<'a> {
    /// A path of the suite.
    Suite(&'a str),
    /// An address that a customer's browser was sent to.
    Browser(&'a str),
}

/// A request's body decides its method.
#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    /// GET.
    None,
    /// POST of JSON: the same bytes each time, because the key stands for them.
    Json(&'a [u8]),
    /// POST of a form.
    Form(&'a [(&'a str, &'a str)]),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// The suite was away longer than our patience.
    Away(String),
    /// The suite does not let us in: no later request would fare better.
    Denied(String),
}

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away(why) => write!(f, "the suite is away: {why}"),
            Self::Denied(why) => write!(f, "the suite does not let us in (another token: --token): {why}"),
        }
    }
}

impl Api {
    /// A suite at this address; fails when the address or the token cannot be one.
    pub(super) fn new(url: &str, token: &str, patience: Patience) -> Result<Self, String> {
        let address = url::Url::parse(url).map_err(|error| format!("--url {url}: {error}"))?;
        let host = address.host_str().unwrap_or_default();
        if !matches!(address.scheme(), "http" | "https") || host.is_empty() {
            return Err(format!("--url {url}: an http or https address is needed"));
        }
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
            .map_err(|_| "the token holds characters that no token has")?;
        authorization.set_sensitive(true);
        let mut client = Client::builder()
            .connect_timeout(Duration::from_secs(3))
            .timeout(patience.exchange)
            .redirect(redirect::Policy::none());
        if matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| format!("no HTTP client: {error}"))?;
        let base = url.trim_end_matches('/').to_owned();
        Ok(Self { client, base, authorization, patience, latencies: Latencies::default() })
    }

    /// Whether anything answers there.
    pub(super) async fn is_there(&self) -> bool {
        self.client.get(format!("{}/livez", self.base)).send().await.is_ok()
    }

    /// Reads a path.
    pub(super) async fn get(&self, operation: &'static str, path: &str) -> Result<Reply, NoAnswer> {
        self.ask(&Ask { operation, to: To::Suite(path), key: None, body: Body::None }).await
    }

    /// Asks until the answer is final, within our patience. An operation that is open longer is a reply of 202.
    pub(super) async fn ask(&self, ask: &Ask<'_>) -> Result<Reply, NoAnswer> {
        let (mut tries, mut away_since, mut open_since) = (0, None, None);
        loop {
            tries += 1;
            let began = Instant::now();
            let heard = self.exchange(ask, tries).await;
            let retry_after = match heard {
                Ok((reply, _)) if matches!(reply.status, 401 | 403) => {
                    return Err(NoAnswer::Denied(reply.said()));
                }
                Ok((reply, after)) if reply.status == 202 => {
                    away_since = None;
                    if open_since.get_or_insert(began).elapsed() >= self.patience.open {
                        return Ok(reply);
                    }
                    after
                }
                Ok((reply, after)) if is_passing(&reply) => {
                    self.still_patient(&mut away_since, began, || reply.said())?;
                    after
                }
                Ok((reply, _)) => return Ok(reply),
                Err(error) => {
                    self.still_patient(&mut away_since, began, || plainly(&error))?;
                    None
                }
            };
            tokio::time::sleep(self.patience.pause(tries, retry_after)).await;
        }
    }

    fn still_patient(
        &self,
        away_since: &mut Option<Instant>,
        began: Instant,
        why: impl FnOnce() -> String,
    ) -> Result<(), NoAnswer> {
        if away_since.get_or_insert(began).elapsed() < self.patience.away {
            return Ok(());
        }
        Err(NoAnswer::Away(format!("for {} s, at last with {}", self.patience.away.as_secs(), why())))
    }

    async fn exchange(&self, ask: &Ask<'_>, tries: u32) -> reqwest::Result<(Reply, Option<Duration>)> {
        let began = Instant::now();
        let response = self.request(ask).send().await?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let location = header(&response, LOCATION.as_str());
        let replayed = header(&response, "idempotency-replayed").is_some_and(|value| value == "true");
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null);
        self.latencies.note(ask.operation, began.elapsed());
        Ok((Reply { status, body, location, replayed, tries }, retry_after))
    }

    fn request(&self, ask: &Ask<'_>) -> RequestBuilder {
        let method = if matches!(ask.body, Body::None) { Method::GET } else { Method::POST };
        let mut request = match ask.to {
            To::Suite(path) => self
                .client
                .request(method, format!("{}{path}", self.base))
                .header(AUTHORIZATION, self.authorization.clone()),
            To::Browser(address) => self.client.request(method, address),
        };
        if let Some(key) = ask.key {
            request = request.header("idempotency-key", key);
        }
        match ask.body {
            Body::None => request,
            Body::Json(bytes) => request.header("content-type", "application/json").body(bytes.to_vec()),
            Body::Form(fields) => request.form(fields),
        }
    }
}

/// Whether an answer is one of the moment: the same request may fare better soon.
fn is_passing(reply: &Reply) -> bool {
    matches!(reply.status, 408 | 429 | 502 | 503 | 504) || reply.code() == "idempotency_key_in_use"
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

/// The seconds of `Retry-After`; its date form is not heeded.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An error of the transport in a few words.
fn plainly(error: &reqwest::Error) -> String {
    let what = if error.is_connect() {
        "no connection"
    } else if error.is_timeout() {
        "no answer in time"
    } else {
        "a connection that broke off"
    };
    what.to_owned()
}
