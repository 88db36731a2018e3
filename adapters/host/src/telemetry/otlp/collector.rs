//! The way to the collector: our one HTTP client, and a breaker that lets a collector that is away cost nothing.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;
use tokio::time::Instant;

/// How long nothing is sent after a failure: what would be sent meanwhile is dropped, and nobody waits for it.
const REST: Duration = Duration::from_secs(10);

/// The client of both exporters. They run on threads of their own, so it sends on the runtime that made it.
#[derive(Clone)]
pub(super) struct Collector {
    client: reqwest::Client,
    runtime: Handle,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    rests_until: Mutex<Option<Instant>>,
    is_away: AtomicBool,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

impl Collector {
    pub(super) fn new(timeout: Duration) -> Result<Self, reqwest::Error> {
        let client = florin_http::client::builder()
            .timeout(timeout)
            .connect_timeout(Duration::from_secs(2))
            .build()?;
        Ok(Self { client, runtime: Handle::current(), state: Arc::default() })
    }

    async fn send(self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        if self.rests() {
            return Err("the collector is away".into());
        }
        let sent = self.exchange(request).await;
        match &sent {
            Ok(response) if response.status().is_success() => self.is_back(),
            Ok(response) => self.is_away(&format!("it answers {}", response.status())),
            // The address stays out of the words: it may hold a secret.
            Err(error) if error.is_timeout() => self.is_away("time-out"),
            Err(error) if error.is_connect() => self.is_away("no connection"),
            Err(_) => self.is_away("the connection broke off"),
        }
        Ok(sent.map_err(reqwest::Error::without_url)?)
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, reqwest::Error> {
        let request = request.try_into()?;
        let response = self.client.execute(request).await?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        // An answer is a few bytes of what was rejected; a long one is not read to its end.
        if response.content_length().is_some_and(|length| length <= 64 * 1024) {
            *answer.body_mut() = response.bytes().await?;
        }
        Ok(answer)
    }

    fn rests(&self) -> bool {
        let until = self.state.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn is_away(&self, why: &str) {
        *self.state.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REST);
        if !self.state.is_away.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                error.message = why,
                "the collector is away: spans and metrics are dropped until it is back"
            );
        }
    }

    fn is_back(&self) {
        *self.state.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if self.state.is_away.swap(false, Ordering::Relaxed) {
            tracing::info!("the collector is back");
        }
    }
}

impl HttpClient for Collector {
    fn send_bytes<'life, 'future>(
        &'life self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'future>>
    where
        'life: 'future,
        Self: 'future,
    {
        let sending = self.runtime.spawn(self.clone().send(request));
        Box::pin(async move { sending.await? })
    }
}
