//! A broker of CloudEvents over HTTP, small enough for a test: it takes events and pushes them at once to the
//! guarded door of a function, and confirms what the function took.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use florin_kernel::event::Event;
use florin_queue::cloudevents::{
    Limits, Mode, decode_http, encode_http_batched, encode_http_binary, encode_http_structured,
};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::loopback;
use crate::site::DELIVERY_SECRET;
use crate::wait::within;

/// A running sink; dropping it ends it.
pub struct Sink {
    base: String,
    state: Arc<Pushing>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

struct Pushing {
    http: reqwest::Client,
    mode: Mode,
    /// Where to; nowhere is a broker that nobody reads from yet.
    doors: Mutex<Option<Vec<String>>>,
    /// What was confirmed, in the order it came.
    taken: Mutex<Vec<Event>>,
    /// What was pushed before: in batched mode it is pushed again beside the next one.
    before: Mutex<Option<Event>>,
}

impl Sink {
    /// Starts a sink that pushes in this mode. It confirms nothing before it has a door.
    pub async fn start(mode: Mode) -> Self {
        Self::start_at(0, mode).await
    }

    /// As [`Sink::start`], on this port: where one was before, or will be looked for.
    pub async fn start_at(port: u16, mode: Mode) -> Self {
        Self::with(port, mode, Some(Vec::new())).await
    }

    /// Starts a sink that keeps what it takes for the test.
    pub async fn keeping() -> Self {
        Self::with(0, Mode::Binary, None).await
    }

    async fn with(port: u16, mode: Mode, doors: Option<Vec<String>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let http = loopback().pool_max_idle_per_host(0);
        let http = http.build().expect("an HTTP client needs nothing");
        let state = Arc::new(Pushing {
            http,
            mode,
            doors: Mutex::new(doors),
            taken: Mutex::default(),
            before: Mutex::default(),
        });
        let router = Router::new().fallback(take).with_state(Arc::clone(&state));
        let stop = CancellationToken::new();
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        let serving = tokio::spawn(async move { serving.await.expect("it only stops") });
        Self { base, state, stop, serving }
    }

    /// Its address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Pushes to the function of the process at this base address, too.
    pub async fn push_to(&self, base: &str, function: &str) {
        let mut doors = self.state.doors.lock().await;
        doors.get_or_insert_default().push(format!("{base}/_deliver/{function}"));
    }

    /// Ends it: nobody listens on its port, and no connection stands.
    ///
    /// # Panics
    /// When a request does not end.
    pub async fn stop(mut self) {
        self.stop.cancel();
        within("the sink's end", &mut self.serving).await.expect("no panic");
    }

    /// What it confirmed so far.
    pub async fn taken(&self) -> Vec<Event> {
        self.state.taken.lock().await.clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(pushing): State<Arc<Pushing>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let Ok(events) = decode_http(&parts.headers, &body, &Limits::default()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    for event in events {
        if !pushing.push(event).await {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    }
    StatusCode::ACCEPTED.into_response()
}

impl Pushing {
    async fn push(&self, event: Event) -> bool {
        let door = {
            let mut doors = self.doors.lock().await;
            let Some(doors) = doors.as_mut() else {
                self.taken.lock().await.push(event);
                return true;
            };
            if doors.is_empty() {
                return false;
            }
            doors.rotate_left(1);
            doors[0].clone()
        };
        let before = self.before.lock().await.replace(event.clone());
        let encoded = match self.mode {
            Mode::Structured => encode_http_structured(&event),
            Mode::Batched => {
                encode_http_batched(&before.into_iter().chain([event.clone()]).collect::<Vec<_>>())
            }
            Mode::Binary => encode_http_binary(&event),
        };
        let (headers, body): (HeaderMap, Vec<u8>) = encoded.expect("what was decoded can be encoded");
        let sent = self.http.post(door).headers(headers).bearer_auth(DELIVERY_SECRET).body(body).send().await;
        let confirmed = sent.is_ok_and(|response| response.status() == StatusCode::ACCEPTED);
        if confirmed {
            self.taken.lock().await.push(event);
        }
        confirmed
    }
}
