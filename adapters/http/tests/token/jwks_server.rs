//! An issuer's web server on this machine that counts, can be told what to answer, and can be held up.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{CACHE_CONTROL, LOCATION};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use url::Url;

pub(crate) struct JwksServer {
    pub(crate) url: Url,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Mutex<Answer>,
    counts: Mutex<Counts>,
    arrived: Notify,
    /// One permit lets one answer out; plenty unless held up.
    gate: Semaphore,
}

#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
    pub(crate) cache_control: &'static str,
    pub(crate) location: &'static str,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Counts {
    pub(crate) arrived: usize,
    pub(crate) under_way: usize,
    pub(crate) most_under_way: usize,
}

impl JwksServer {
    /// Starts on a free port.
    pub(crate) async fn start(body: String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Answer { status: StatusCode::OK, body, cache_control: "", location: "" };
        let shared = Arc::new(Shared {
            answer: Mutex::new(answer),
            counts: Mutex::default(),
            arrived: Notify::new(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        });
        let router = Router::new().fallback(serve).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url: Url::parse(&format!("http://{address}/jwks.json")).unwrap(), shared }
    }

    pub(crate) fn answer(&self, change: impl FnOnce(&mut Answer)) {
        change(&mut self.shared.answer.lock().unwrap());
    }

    pub(crate) fn answer_now(&self) -> Answer {
        self.shared.answer.lock().unwrap().clone()
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.shared.counts.lock().unwrap()
    }

    pub(crate) fn fetches(&self) -> usize {
        self.counts().arrived
    }

    /// From now on requests wait for [`JwksServer::let_go`].
    pub(crate) fn hold_up(&self) {
        self.shared.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn let_go(&self) {
        self.shared.gate.add_permits(1_000);
    }

    /// Returns when a request has arrived that was not waited for before.
    pub(crate) async fn arrival(&self) {
        self.shared.arrived.notified().await;
    }
}

async fn serve(State(shared): State<Arc<Shared>>) -> Response<String> {
    {
        let mut counts = shared.counts.lock().unwrap();
        counts.arrived += 1;
        counts.under_way += 1;
        counts.most_under_way = counts.most_under_way.max(counts.under_way);
    }
    shared.arrived.notify_one();
    let _out = shared.gate.acquire().await.unwrap();
    shared.counts.lock().unwrap().under_way -= 1;
    let answer = shared.answer.lock().unwrap().clone();
    let mut response = Response::builder().status(answer.status);
    if !answer.cache_control.is_empty() {
        response = response.header(CACHE_CONTROL, answer.cache_control);
    }
    if !answer.location.is_empty() {
        response = response.header(LOCATION, answer.location);
    }
    response.body(answer.body).unwrap()
}
