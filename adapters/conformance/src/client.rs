//! Somebody who calls a `florin` process over real HTTP.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Method};
use serde_json::Value;

/// A caller with or without a token. Each request has a connection of its own, so that a killed process leaves
/// no dead one behind.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// What came back.
#[derive(Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body's bytes.
    pub bytes: Vec<u8>,
    /// The body, where it is JSON.
    pub body: Value,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, String::from_utf8_lossy(&self.bytes))
    }
}

impl Reply {
    /// A header field's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The problem's code, or nothing.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The identifier in the body.
    ///
    /// # Panics
    /// When there is none.
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {self:?}")).to_owned()
    }

    /// This reply, when its status is the one that has to be.
    ///
    /// # Panics
    /// When it is another.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

/// A request's body and header fields.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Outgoing {
    /// JSON, under an idempotency key or none.
    pub fn json(body: &Value, key: Option<&str>) -> Self {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(key.map(|key| ("idempotency-key".to_owned(), key.to_owned())));
        Self { headers, body: body.to_string().into_bytes() }
    }
}

fn http_client(prior_knowledge: bool) -> reqwest::Client {
    let builder = reqwest::Client::builder()
        .timeout(Duration::from_secs(50))
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .no_proxy();
    let builder = if prior_knowledge { builder.http2_prior_knowledge() } else { builder };
    builder.build().expect("an HTTP client needs nothing")
}

impl Client {
    /// A caller of this base address, `http://127.0.0.1:PORT`.
    pub fn new(base: &str, token: Option<String>) -> Self {
        Self { http: http_client(false), base: base.to_owned(), token }
    }

    /// The same caller speaking h2c from the first byte.
    #[must_use]
    pub fn over_h2c(&self) -> Self {
        Self { http: http_client(true), ..self.clone() }
    }

    /// The same caller at another process.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The bearer token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Any request; an error when there is no answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        outgoing: Outgoing,
    ) -> Result<Reply, reqwest::Error> {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).body(outgoing.body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in outgoing.headers {
            request = request.header(name, value);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?.to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Reply { status, headers, bytes, body })
    }

    /// GET, which has to be answered.
    ///
    /// # Panics
    /// When it is not.
    pub async fn get(&self, path: &str) -> Reply {
        let answered = self.send(Method::GET, path, Outgoing::default()).await;
        answered.unwrap_or_else(|error| panic!("GET {path}: {error:?}"))
    }

    /// POST of JSON, which has to be answered.
    ///
    /// # Panics
    /// When it is not.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        let answered = self.send(Method::POST, path, Outgoing::json(&body, None)).await;
        answered.unwrap_or_else(|error| panic!("POST {path}: {error:?}"))
    }

    /// POST of JSON under an idempotency key; an error when there is no answer.
    pub async fn try_post_once(&self, path: &str, key: &str, body: Value) -> Result<Reply, reqwest::Error> {
        self.send(Method::POST, path, Outgoing::json(&body, Some(key))).await
    }

    /// POST of JSON under an idempotency key, which has to be answered.
    ///
    /// # Panics
    /// When it is not.
    pub async fn post_once(&self, path: &str, key: &str, body: Value) -> Reply {
        let answered = self.try_post_once(path, key, body).await;
        answered.unwrap_or_else(|error| panic!("POST {path}: {error:?}"))
    }
}
