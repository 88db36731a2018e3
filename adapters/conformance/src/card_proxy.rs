//! A proxy before the card provider that stops a call where the test wants to act: when the request has arrived,
//! or when the provider has answered and the answer is not passed on yet.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::client::loopback;
use crate::wait::within;

/// Where a call stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The request has arrived here; the provider has not seen it.
    Request,
    /// The provider has answered; the caller has not.
    Answer,
}

/// A call that will stop, or has.
pub struct Stopped {
    reached: Option<oneshot::Receiver<()>>,
    go: Option<oneshot::Sender<()>>,
}

impl Stopped {
    /// Waits until the call stands there.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn reached(&mut self) {
        let reached = self.reached.take().expect("it is waited for once");
        within("the call to the provider", reached).await.expect("the proxy runs");
    }

    /// Lets the call go on. Dropped without it, the call never goes on.
    pub fn go(mut self) {
        let go = self.go.take().expect("it goes on once");
        // Its caller may be gone.
        let _ = go.send(());
    }
}

struct Planned {
    stop: Stop,
    reached: oneshot::Sender<()>,
    go: oneshot::Receiver<()>,
}

/// A running proxy on a free port; dropping it ends it.
pub struct CardProxy {
    base: String,
    state: Arc<Passing>,
    serving: AbortHandle,
}

struct Passing {
    http: reqwest::Client,
    provider: String,
    plan: Mutex<VecDeque<Planned>>,
    seen: AtomicUsize,
    away: AtomicBool,
}

impl CardProxy {
    /// Starts a proxy before this provider.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(provider: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let http = loopback().build().expect("an HTTP client needs nothing");
        let state = Arc::new(Passing {
            http,
            provider: provider.to_owned(),
            plan: Mutex::default(),
            seen: AtomicUsize::new(0),
            away: AtomicBool::new(false),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&state));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Self { base, state, serving }
    }

    /// Its address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Stops the next call that nobody stops yet.
    pub fn stop_next(&self, stop: Stop) -> Stopped {
        let (reached, reaching) = oneshot::channel();
        let (go, going) = oneshot::channel();
        let planned = Planned { stop, reached, go: going };
        self.state.plan.lock().unwrap_or_else(PoisonError::into_inner).push_back(planned);
        Stopped { reached: Some(reaching), go: Some(go) }
    }

    /// How many calls came.
    pub fn seen(&self) -> usize {
        self.state.seen.load(Ordering::SeqCst)
    }

    /// Says whether every call is answered 503 and none reaches the provider.
    pub fn set_away(&self, away: bool) {
        self.state.away.store(away, Ordering::SeqCst);
    }
}

impl Drop for CardProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pass(State(passing): State<Arc<Passing>>, request: Request) -> Response {
    let planned = passing.next();
    if passing.away.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let Some(Planned { stop, reached, go }) = planned else {
        return passing.forward(parts.method, &path, parts.headers, body.to_vec()).await;
    };
    // A caller that is killed takes this future with it, wherever it stands.
    let forwarded = async move { passing.forward(parts.method, &path, parts.headers, body.to_vec()).await };
    match stop {
        Stop::Request => {
            let _ = reached.send(());
            wait_for(go).await;
            forwarded.await
        }
        Stop::Answer => {
            let answer = forwarded.await;
            let _ = reached.send(());
            wait_for(go).await;
            answer
        }
    }
}

async fn wait_for(go: oneshot::Receiver<()>) {
    if go.await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Passing {
    fn next(&self) -> Option<Planned> {
        self.seen.fetch_add(1, Ordering::SeqCst);
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    async fn forward(&self, method: Method, path: &str, mut headers: HeaderMap, body: Vec<u8>) -> Response {
        headers.remove(header::HOST);
        headers.remove(header::CONTENT_LENGTH);
        let request = self.http.request(method, format!("{}{path}", self.provider));
        let Ok(answer) = request.headers(headers).body(body).send().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let status = answer.status();
        let Ok(body) = answer.bytes().await else { return StatusCode::BAD_GATEWAY.into_response() };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        response
    }
}
