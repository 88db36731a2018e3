//! Publishes events as CloudEvents over HTTP: to a Knative Broker, or whatever `K_SINK` names.

use std::error::Error;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use florin_kernel::event::Event;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream;
use http::header::AUTHORIZATION;
use http::{HeaderValue, StatusCode};
use reqwest::{Client, Url, redirect};
use tokio::time::Instant;

use crate::cloudevents::encode_http_binary;
use crate::features::{Delay, FanOut, Features, Restart};
use crate::port::{PublishError, Publisher, QueueError};

/// What a sink of CloudEvents does by itself: the platform behind it has the queues, and pushes.
pub const FEATURES: Features = Features {
    name: "CloudEvents over HTTP",
    fan_out: FanOut::Broker,
    delay: Delay::Asked,
    ordered: false,
    delivery_limit: None,
    max_event_bytes: Some(MOST_TAKEN),
    restart: Restart::Platform,
};

/// What the guarded door takes by default.
const MOST_TAKEN: usize = 1_048_576;

/// How long and how many at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpPublishing {
    /// The bound on one exchange, from the connection to the answer's head.
    pub timeout: Duration,
    /// How many requests are under way at once, at least one.
    pub parallelism: usize,
}

impl Default for HttpPublishing {
    /// Ten seconds, 32 at a time: a batch is over in twenty, within the relay's lease.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), parallelism: 32 }
    }
}

/// POSTs each event in binary mode to one address; an answer of 2xx is the confirm.
///
/// Batched mode would need the receiver to ask for it (CloudEvents HTTP binding, section 1.3).
/// An event may arrive more than once, and in any order.
pub struct HttpPublisher {
    /// Made when something is first published: reading the platform's TLS roots takes longer than the rest of a
    /// cold start, and a function that only reads publishes nothing.
    client: OnceLock<Client>,
    sink: Url,
    /// Where the token is that the sink wants, if it wants one.
    token_file: Option<PathBuf>,
    how: HttpPublishing,
}

impl HttpPublisher {
    /// A publisher to this address, which is http or https; nothing is sent yet.
    ///
    /// # Errors
    /// The address is not one.
    pub fn new(sink: &str, how: HttpPublishing) -> Result<Self, QueueError> {
        let sink = Url::parse(sink).map_err(|error| QueueError(format!("the sink is not a URL: {error}")))?;
        if !matches!(sink.scheme(), "http" | "https") || sink.host().is_none() {
            return Err(QueueError("the sink is not an http or https URL".to_owned()));
        }
        Ok(Self { client: OnceLock::new(), sink, token_file: None, how })
    }

    /// This publisher with the token in this file, which each batch reads anew: whoever mounts it renews it. It takes
    /// the place of credentials in the address. While the file is not there nothing is sent, and nothing is confirmed.
    #[must_use]
    pub fn with_token_file(mut self, file: PathBuf) -> Self {
        self.token_file = Some(file);
        self
    }

    /// The credential of a batch: a bearer token (RFC 6750, section 2.1), if the sink wants one.
    async fn credential(&self) -> Result<Option<HeaderValue>, PublishError> {
        let Some(file) = &self.token_file else { return Ok(None) };
        let no =
            |why: &str| PublishError::NotConfirmed(format!("the sink's token, {}: {why}", file.display()));
        let token = tokio::fs::read_to_string(file).await.map_err(|error| no(&error.to_string()))?;
        let token = token.trim();
        if token.is_empty() {
            return Err(no("the file is empty"));
        }
        // Without the error, which says nothing that helps: a token is never logged, not a part of one either.
        let mut credential =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| no("it is no header's value"))?;
        credential.set_sensitive(true);
        Ok(Some(credential))
    }

    fn client(&self) -> Result<&Client, PublishError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::builder()
            // 3xx is reserved in Knative Eventing: an event goes where it was addressed or nowhere.
            .redirect(redirect::Policy::none())
            // Configuration comes from the host, not from HTTP_PROXY.
            .no_proxy()
            .timeout(self.how.timeout)
            .build()
            .map_err(|error| PublishError::NotConfirmed(format!("no HTTP client: {}", causes(&error))))?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Posts the event, unless this begins too late.
    async fn post_by(
        &self,
        latest: Instant,
        index: usize,
        event: &Event,
        credential: Option<&HeaderValue>,
    ) -> (usize, Result<(), PublishError>) {
        if Instant::now() >= latest {
            return (index, Err(PublishError::NotConfirmed("not sent: the sink is too slow".to_owned())));
        }
        (index, self.post(event, credential).await)
    }

    async fn post(&self, event: &Event, credential: Option<&HeaderValue>) -> Result<(), PublishError> {
        let (mut headers, body) =
            encode_http_binary(event).map_err(|error| PublishError::Refused(error.to_string()))?;
        if let Some(credential) = credential {
            headers.insert(AUTHORIZATION, credential.clone());
        }
        let request = self.client()?.post(self.sink.clone()).headers(headers).body(body);
        // The address may hold a secret, so it stays out of what is logged.
        let answer =
            request.send().await.map_err(|error| PublishError::NotConfirmed(causes(&error.without_url())))?;
        match answer.status() {
            // It is the token that is refused and not the event, and another one may be there a moment later.
            StatusCode::UNAUTHORIZED if credential.is_some() => {
                Err(PublishError::NotConfirmed("the sink does not take the token".to_owned()))
            }
            status => confirm(status),
        }
    }
}

impl Publisher for HttpPublisher {
    fn publish<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), PublishError>>> {
        Box::pin(async move {
            let credential = match self.credential().await {
                Ok(credential) => credential,
                Err(error) => return vec![Err(error); events.len()],
            };
            // A sink that answers nothing would hold a batch for a time-out per round of requests, past the
            // relay's lease: what has not begun within one time-out is left for the next batch.
            let latest = Instant::now() + self.how.timeout;
            let mut posts = Vec::with_capacity(events.len());
            for (index, event) in events.iter().enumerate() {
                posts.push(self.post_by(latest, index, event, credential.as_ref()));
            }
            // In the order they end, so that a slow one holds up none behind it.
            let at_once = self.how.parallelism.max(1);
            let mut results: Vec<_> = stream::iter(posts).buffer_unordered(at_once).collect().await;
            results.sort_by_key(|(index, _)| *index);
            results.into_iter().map(|(_, result)| result).collect()
        })
    }
}

/// What an answer means (knative/specs, eventing data plane): these and unknown codes are worth a repeat,
/// the other 4xx are not.
fn confirm(status: StatusCode) -> Result<(), PublishError> {
    let again = matches!(status.as_u16(), 404 | 408 | 409 | 429);
    match status.as_u16() {
        200..=299 => Ok(()),
        400..=499 if !again => Err(PublishError::Refused(format!("the sink answered {status}"))),
        _ => Err(PublishError::NotConfirmed(format!("the sink answered {status}"))),
    }
}

/// An error with its causes: reqwest's own text says only that the request failed.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
