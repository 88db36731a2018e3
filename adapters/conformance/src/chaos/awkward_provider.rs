//! What stands between the processes and the card provider: it loses requests and answers, is late, and hangs up
//! on a provider that holds back.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use super::dice::Dice;
use crate::client::loopback;

/// How long the provider may think; longer is what `pm_card_timeout_after_charge` and `pm_card_slow` do.
const PATIENCE: Duration = Duration::from_millis(250);

/// After so many requests of one key the wire is good, so that every effect comes to an end.
const AWKWARD: u64 = 3;

/// A running proxy on a free port; dropping it ends it.
pub(crate) struct AwkwardProvider {
    base: String,
    state: Arc<State>,
    accepting: AbortHandle,
}

struct State {
    http: reqwest::Client,
    provider: String,
    seed: AtomicU64,
    seen: Mutex<HashMap<String, u64>>,
    faults: AtomicU64,
}

/// What becomes of a request.
enum Fate {
    Passed { late: Duration },
    LostRequest,
    LostAnswer,
    Refused,
}

impl AwkwardProvider {
    /// Starts it before this provider.
    pub(crate) async fn before(provider: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let http = loopback().timeout(PATIENCE).build();
        let state = Arc::new(State {
            http: http.expect("an HTTP client needs nothing"),
            provider: provider.to_owned(),
            seed: AtomicU64::new(0),
            seen: Mutex::default(),
            faults: AtomicU64::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
        Self { base, state, accepting }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// From now on this seed decides.
    pub(crate) fn reseed(&self, seed: u64) {
        self.state.seed.store(seed, Ordering::SeqCst);
        self.state.seen.lock().expect("nobody panics here").clear();
    }

    /// How many requests or answers were lost so far.
    pub(crate) fn faults(&self) -> u64 {
        self.state.faults.load(Ordering::SeqCst)
    }
}

impl Drop for AwkwardProvider {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&state), request));
            // An error of the service is a connection that ends without an answer, which is what is wanted.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}

fn hang_up(state: &State) -> io::Error {
    state.faults.fetch_add(1, Ordering::SeqCst);
    io::Error::other("hung up")
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let fate = state.fate(parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok()));
    match fate {
        Fate::LostRequest => return Err(hang_up(&state)),
        Fate::Refused => {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            return Ok(response);
        }
        Fate::Passed { late } => tokio::time::sleep(late).await,
        Fate::LostAnswer => {}
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.headers.remove("host");
    parts.headers.remove("content-length");
    let forwarded = state.http.request(parts.method, format!("{}{path}", state.provider));
    let answered = forwarded.headers(parts.headers).body(body).send().await;
    let Ok(answered) = answered else { return Err(hang_up(&state)) };
    let status = answered.status();
    let Ok(body) = answered.bytes().await else { return Err(hang_up(&state)) };
    if matches!(fate, Fate::LostAnswer) {
        return Err(hang_up(&state));
    }
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", "application/json".parse().expect("a media type"));
    Ok(response)
}

impl State {
    /// Decided by the round's seed, the request's place among those of its key, and how many there were: keys are
    /// new in every run.
    fn fate(&self, key: Option<&str>) -> Fate {
        let Some(key) = key else { return Fate::Passed { late: Duration::ZERO } };
        let (times, keys) = {
            let mut seen = self.seen.lock().expect("nobody panics here");
            let keys = u64::try_from(seen.len()).unwrap_or(0);
            let times = seen.entry(key.to_owned()).or_default();
            *times += 1;
            (*times, keys)
        };
        let mut dice = Dice::of(self.seed.load(Ordering::SeqCst) ^ (keys << 8) ^ times, "provider");
        if times > AWKWARD {
            return Fate::Passed { late: Duration::ZERO };
        }
        match dice.below(100) {
            0..=4 => Fate::LostRequest,
            5..=12 => Fate::LostAnswer,
            13..=15 => Fate::Refused,
            16..=45 => Fate::Passed { late: Duration::from_millis(dice.below(60)) },
            _ => Fate::Passed { late: Duration::ZERO },
        }
    }
}
