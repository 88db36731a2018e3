//! Somebody who calls Florin over HTTP: a process at its address, or a router of this process without a socket between.

use std::fmt;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// A caller with or without a token.
#[derive(Clone)]
pub struct Client {
    way: Way,
    token: Option<String>,
}

#[derive(Clone)]
enum Way {
    /// Boxed, because it is much larger than the other.
    Router(Box<Router>),
    /// Each request has a connection of its own, so that a killed process leaves no dead one behind.
    Socket { http: reqwest::Client, base: String },
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
    /// What came as status, header fields and bytes.
    pub fn of(status: u16, headers: HeaderMap, bytes: Vec<u8>) -> Self {
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Self { status, headers, bytes, body }
    }

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
    #[track_caller]
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
        Self::text(&body.to_string(), key)
    }

    /// Text that claims to be JSON, under an idempotency key or none.
    fn text(body: &str, key: Option<&str>) -> Self {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(key.map(|key| ("idempotency-key".to_owned(), key.to_owned())));
        Self { headers, body: body.as_bytes().to_vec() }
    }
}

/// A client to be, for servers on loopback that speak plain text: it follows no redirect, and trusts nobody. To read every
/// root certificate of the machine takes longer than many a test.
pub fn loopback() -> reqwest::ClientBuilder {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).tls_certs_only([]).no_proxy()
}

fn http_client(prior_knowledge: bool) -> reqwest::Client {
    let builder = loopback().timeout(Duration::from_secs(50)).pool_max_idle_per_host(0);
    let builder = if prior_knowledge { builder.http2_prior_knowledge() } else { builder };
    builder.build().expect("an HTTP client needs nothing")
}

impl Client {
    /// A caller of the process at this base address, `http://127.0.0.1:PORT`.
    pub fn new(base: &str, token: Option<String>) -> Self {
        Self { way: Way::Socket { http: http_client(false), base: base.to_owned() }, token }
    }

    /// A caller of a router in this process.
    pub fn of_router(router: Router, token: Option<String>) -> Self {
        Self { way: Way::Router(Box::new(router)), token }
    }

    /// The same caller speaking h2c from the first byte. A router knows no such thing.
    #[must_use]
    pub fn over_h2c(&self) -> Self {
        let mut other = self.clone();
        if let Way::Socket { http, .. } = &mut other.way {
            *http = http_client(true);
        }
        other
    }

    /// The same caller at another process.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self::new(base, self.token.clone())
    }

    /// The bearer token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Any request; an error when there is no answer, which a router always gives.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        mut outgoing: Outgoing,
    ) -> Result<Reply, reqwest::Error> {
        let bearer = self.token.iter().map(|token| ("authorization".to_owned(), format!("Bearer {token}")));
        outgoing.headers.extend(bearer);
        match &self.way {
            Way::Router(router) => Ok(through(router, method, path, outgoing).await),
            Way::Socket { http, base } => {
                let mut request = http.request(method, format!("{base}{path}")).body(outgoing.body);
                for (name, value) in outgoing.headers {
                    request = request.header(name, value);
                }
                let response = request.send().await?;
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                Ok(Reply::of(status, headers, response.bytes().await?.to_vec()))
            }
        }
    }

    /// Any request, which has to be answered.
    ///
    /// # Panics
    /// When it is not.
    async fn answered(&self, method: Method, path: &str, outgoing: Outgoing) -> Reply {
        let answered = self.send(method.clone(), path, outgoing).await;
        answered.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"))
    }

    /// GET, which has to be answered.
    ///
    /// # Panics
    /// When it is not.
    pub async fn get(&self, path: &str) -> Reply {
        self.answered(Method::GET, path, Outgoing::default()).await
    }

    /// POST of JSON, which has to be answered.
    ///
    /// # Panics
    /// When it is not.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.answered(Method::POST, path, Outgoing::json(&body, None)).await
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
        self.answered(Method::POST, path, Outgoing::json(&body, Some(key))).await
    }

    /// POST of text that claims to be JSON, which has to be answered.
    ///
    /// # Panics
    /// When it is not.
    pub async fn post_text(&self, path: &str, key: Option<&str>, body: &str) -> Reply {
        self.answered(Method::POST, path, Outgoing::text(body, key)).await
    }

    /// A request with header fields of its own, which has to be answered.
    ///
    /// # Panics
    /// When it is not.
    pub async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let method = method.parse().expect("a method");
        self.answered(method, path, Outgoing { headers, body: body.as_bytes().to_vec() }).await
    }
}

async fn through(router: &Router, method: Method, path: &str, outgoing: Outgoing) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in outgoing.headers {
        request = request.header(name, value);
    }
    let request = request.body(Body::from(outgoing.body)).expect("a request");
    let Ok(response) = router.clone().oneshot(request).await;
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a whole body").to_bytes().to_vec();
    Reply::of(parts.status.as_u16(), parts.headers, bytes)
}
