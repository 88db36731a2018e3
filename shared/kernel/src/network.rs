//! What effects say to peers, without a socket: requests, responses, and the port the host owns.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;

/// Stands at the start of a text in a request's JSON where the host puts its own public address: in an effect whose row
/// an earlier release wrote, without the address. Every other one keeps what [`crate::cx::Cx::address`] said when it
/// was asked for, or a process at another address would send other bytes under the same key. It is never stored, and
/// begins with a character that no text from outside may hold.
pub const PUBLIC: &str = "\u{0}public";

/// A request to a peer. The host adds the peer's address and credentials, and the idempotency key.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The HTTP method.
    pub method: &'static str,
    /// Below the peer's base address, for example `/v1/charges`.
    pub path: String,
    /// Header fields besides `Content-Type`, `Idempotency-Key` and `traceparent`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

/// A request's body.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// None.
    Empty,
    /// JSON.
    Json(Value),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
}

/// What the peer answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// The body, bounded by the host.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as JSON; anything else is null.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// What a response means.
#[derive(Clone, Debug)]
pub enum Parsed<O> {
    /// This is what the effect came to.
    Outcome(O),
    /// A further request first: a token, the next page.
    Further(Request),
    /// It surely did not happen: safe to send again.
    NotSent(String),
    /// It may have happened: sent again under the same key, or asked about, and never given to another peer.
    Unknown(String),
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The request never left: refused connection, unknown host, no such peer.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It may have arrived: time-out, reset connection.
    #[error("outcome unknown: {0}")]
    Unknown(String),
}

/// One request as the host sends it.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Which peer.
    pub peer: &'static str,
    /// What to say.
    pub request: Request,
    /// The `Idempotency-Key` for the peer.
    pub key: String,
    /// W3C trace context of the effect.
    pub traceparent: Option<String>,
    /// The bound on the whole exchange.
    pub timeout: Duration,
}

/// The port to peers. The host owns it.
pub trait Network: Send + Sync {
    /// Sends one request and reads the response.
    fn send(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<Response, SendError>>;
}
