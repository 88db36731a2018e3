//! The port to peers over HTTP: addresses, credentials, time-outs and size limits are the deployment's.

use std::collections::HashMap;
use std::time::Duration;

use florin_kernel::network::{Body, Network, Outgoing, PUBLIC, Response, SendError};
use futures_util::future::BoxFuture;
use serde_json::Value;

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
    client: reqwest::Client,
    peers: HashMap<&'static str, Peer>,
    public: String,
}

impl HttpNetwork {
    /// A port to these peers, which reach us at the public address.
    pub fn new(
        peers: HashMap<&'static str, Peer>,
        public: impl Into<String>,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(3))
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(64)
            .build()?;
        Ok(Self { client, peers, public: public.into() })
    }

    async fn exchange(&self, outgoing: Outgoing) -> Result<Response, SendError> {
        let Outgoing { peer, request, key, traceparent, timeout } = outgoing;
        let Some(Peer { base, credential }) = self.peers.get(peer) else {
            return Err(SendError::NotSent(format!("no address is configured for the peer {peer}")));
        };
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|error| SendError::NotSent(error.to_string()))?;
        let mut sending = self
            .client
            .request(method, format!("{base}{}", request.path))
            .timeout(timeout)
            .header("idempotency-key", key);
        if let Some(traceparent) = traceparent {
            sending = sending.header("traceparent", traceparent);
        }
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
