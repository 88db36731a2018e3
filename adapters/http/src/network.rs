//! The port to peers over HTTP: addresses, credentials, time-outs and size limits are the deployment's.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use florin_kernel::metric;
use florin_kernel::network::{Body, Network, Outgoing, PUBLIC, Response, SendError};
use florin_kernel::trace::{self, TraceParent};
use futures_util::future::BoxFuture;
use serde_json::Value;
use tracing::Instrument;
use tracing::field::Empty;
use url::Url;

use crate::client;

/// Where a peer is and how to authenticate to it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The base address, without a slash at the end.
    pub base: String,
    /// A bearer credential.
    pub credential: Option<String>,
}

/// The largest response that is read, in bytes.
const LARGEST: usize = 1024 * 1024;

/// Peers over HTTP.
pub struct HttpNetwork {
    client: OnceLock<reqwest::Client>,
    peers: HashMap<&'static str, Known>,
    public: String,
}

/// A peer, and what spans and metrics may say of where it is.
struct Known {
    peer: Peer,
    host: String,
    port: Option<u16>,
}

impl Known {
    fn of(peer: Peer) -> Self {
        let address = Url::parse(&peer.base).ok();
        let host = address.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned();
        Self { host, port: address.and_then(|address| address.port_or_known_default()), peer }
    }
}

impl HttpNetwork {
    /// A port to these peers, which reach us at the public address. Whether TLS works is known at once where a peer
    /// needs it.
    ///
    /// # Errors
    /// The platform has no TLS roots.
    pub fn new(
        peers: HashMap<&'static str, Peer>,
        public: impl Into<String>,
    ) -> Result<Self, reqwest::Error> {
        let network = Self::when_needed(peers, public);
        if network.peers.values().any(|known| known.peer.base.starts_with("https://")) {
            return Ok(Self { client: OnceLock::from(new_client()?), ..network });
        }
        Ok(network)
    }

    /// As [`HttpNetwork::new`], for a process that may end before it speaks to any peer: its client is made when
    /// one is first spoken to. Reading the platform's TLS roots takes longer than all else at a cold start.
    pub fn when_needed(peers: HashMap<&'static str, Peer>, public: impl Into<String>) -> Self {
        let peers = peers.into_iter().map(|(name, peer)| (name, Known::of(peer))).collect();
        Self { client: OnceLock::new(), peers, public: public.into() }
    }

    fn client(&self) -> Result<&reqwest::Client, SendError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let made = new_client().map_err(|error| SendError::NotSent(format!("no HTTP client: {error}")))?;
        Ok(self.client.get_or_init(|| made))
    }

    /// One exchange in a client span, whose identifier is what the peer is told. The address stays out of the span
    /// but for its host: it may hold a secret.
    async fn exchange(&self, outgoing: Outgoing) -> Result<Response, SendError> {
        let Some(peer) = self.peers.get(outgoing.peer) else {
            return Err(SendError::NotSent(format!(
                "no address is configured for the peer {}",
                outgoing.peer
            )));
        };
        let parent: Option<TraceParent> = outgoing.traceparent.as_deref().and_then(|t| t.parse().ok());
        let trace = TraceParent::span(parent.as_ref());
        let span = tracing::info_span!(
            target: trace::TARGET,
            "send",
            otel.name = outgoing.request.method,
            otel.kind = "client",
            trace.context = trace.as_str(),
            trace.parent = parent.as_ref().map(TraceParent::span_id),
            http.request.method = outgoing.request.method,
            server.address = peer.host,
            server.port = peer.port,
            service.peer.name = outgoing.peer,
            http.response.status_code = Empty,
            error.type = Empty,
            trace.ended = Empty,
        );
        let began = tokio::time::Instant::now();
        let method = outgoing.request.method;
        let exchanged = self.send_traced(peer, outgoing, trace).instrument(span.clone()).await;
        let (status, error) = match &exchanged {
            Ok(response) => {
                span.record("http.response.status_code", response.status);
                let status = response.status.to_string();
                let error = if response.status >= 400 { status.clone() } else { String::new() };
                (status, error)
            }
            Err(SendError::NotSent(_)) => (String::new(), "not_sent".to_owned()),
            Err(SendError::Unknown(_)) => (String::new(), "outcome_unknown".to_owned()),
        };
        if !error.is_empty() {
            span.record("error.type", error.as_str());
        }
        trace::end(&span);
        let took = began.elapsed();
        // In its span, which its exemplar names.
        span.in_scope(|| {
            metrics::histogram!(
                metric::HTTP_CLIENT_DURATION.name,
                "http.request.method" => method,
                "server.address" => peer.host.clone(),
                "server.port" => peer.port.map(|port| port.to_string()).unwrap_or_default(),
                "http.response.status_code" => status,
                "error.type" => error,
            )
            .record(took.as_secs_f64());
        });
        exchanged
    }

    async fn send_traced(
        &self,
        peer: &Known,
        outgoing: Outgoing,
        trace: TraceParent,
    ) -> Result<Response, SendError> {
        let Outgoing { request, key, timeout, .. } = outgoing;
        let Peer { base, credential } = &peer.peer;
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|error| SendError::NotSent(error.to_string()))?;
        let mut sending = self
            .client()?
            .request(method, format!("{base}{}", request.path))
            .timeout(timeout)
            .header("idempotency-key", key)
            .header("traceparent", trace.as_str());
        if let Some(credential) = credential {
            sending = sending.bearer_auth(credential);
        }
        for (name, value) in request.headers {
            sending = sending.header(name, value);
        }
        sending = match request.body {
            Body::Empty => sending,
            Body::Json(value) => sending.json(&self.with_public(value)),
            Body::Form(fields) => sending.form(&fields),
        };
        let mut response = sending.send().await.map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if body.len() + chunk.len() > LARGEST {
                return Err(SendError::Unknown(format!("the response is over {LARGEST} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, body })
    }

    /// Completes what an earlier release left for the host to say: see [`PUBLIC`].
    fn with_public(&self, value: Value) -> Value {
        match value {
            Value::String(text) => match text.strip_prefix(PUBLIC) {
                Some(path) => Value::String(format!("{}{path}", self.public)),
                None => Value::String(text),
            },
            Value::Array(values) => values.into_iter().map(|v| self.with_public(v)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, v)| (name, self.with_public(v))).collect()
            }
            other => other,
        }
    }
}

fn new_client() -> Result<reqwest::Client, reqwest::Error> {
    client::builder().connect_timeout(Duration::from_secs(3)).pool_max_idle_per_host(64).build()
}

/// Only what failed before a connection stood is surely not sent. The address stays out of the words: it may
/// hold a secret.
fn failure(error: &reqwest::Error) -> SendError {
    if error.is_connect() || error.is_builder() {
        SendError::NotSent("no connection".to_owned())
    } else if error.is_timeout() {
        SendError::Unknown("time-out".to_owned())
    } else {
        SendError::Unknown("the connection broke off".to_owned())
    }
}

impl Network for HttpNetwork {
    fn send(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<Response, SendError>> {
        Box::pin(self.exchange(outgoing))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_no_caller_can_write_stands_for_the_public_address() {
        let network = HttpNetwork::when_needed(HashMap::new(), "http://florin.test");
        let said = json!({ "payment_method": "{public}/pm", "return_url": format!("{PUBLIC}/v1/returns/1") });
        let sent =
            json!({ "payment_method": "{public}/pm", "return_url": "http://florin.test/v1/returns/1" });
        assert_eq!(network.with_public(said), sent);
    }
}
