//! A small suite to test against: answers in order as the test wrote them, then as a suite would.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the suite does with one create, before it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// 503, and nothing is done.
    Unavailable,
    /// The payment is made, and the connection broken off before the answer.
    Breaks,
    /// 202: the payment is made and stays processing until it is asked for again.
    StaysOpen,
    /// 401.
    TokenExpired,
    /// 402, as the issuer says no.
    Declines,
}

/// What it knows.
#[derive(Default)]
pub(super) struct Known {
    /// By identifier.
    payments: HashMap<String, Value>,
    /// Identifiers by reference.
    references: HashMap<String, String>,
    /// What was created under which key.
    keys: HashMap<String, String>,
    /// What it does with the next creates.
    pub(super) moods: VecDeque<Mood>,
    /// Keys of creates, in the order in which they came.
    pub(super) creates: Vec<String>,
    /// Keys of confirms.
    pub(super) confirms: Vec<String>,
    /// Bodies by key: a key stands for one.
    bodies: HashMap<String, Bytes>,
    /// How often something was charged, by reference.
    pub(super) charges: HashMap<String, u32>,
    /// Cancelled when so many creates have come.
    pub(super) stop_after: Option<(usize, CancellationToken)>,
}

impl Known {
    /// Knows this payment from now on.
    pub(super) fn stands(&mut self, payment: Value) {
        let text = |name: &str| payment[name].as_str().unwrap().to_owned();
        self.references.insert(text("reference"), text("id"));
        self.payments.insert(text("id"), payment);
    }

    /// Remembers another request under this key.
    pub(super) fn key_stands_for_another(&mut self, key: &str) {
        self.bodies.insert(key.to_owned(), Bytes::from_static(b"{}"));
    }
}

/// A suite on a port of its own.
pub(super) struct Fake {
    /// Where.
    pub(super) url: String,
    /// What it knows.
    pub(super) state: Arc<Mutex<Known>>,
}

type Shared = Arc<Mutex<Known>>;

impl Fake {
    /// Starts one that begins with these moods.
    pub(super) async fn start(moods: impl IntoIterator<Item = Mood>) -> Self {
        let state = Shared::default();
        state.lock().unwrap().moods.extend(moods);
        let router = Router::new()
            .route("/v1/payments", post(create).get(list))
            .route("/v1/payments/{id}", get(read))
            .route("/v1/payments/{id}/confirm", post(confirm))
            .with_state(Arc::clone(&state));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    /// Forgets every Idempotency-Key, as the suite does after a day.
    pub(super) fn forget_keys(&self) {
        let mut state = self.state.lock().unwrap();
        state.keys.clear();
        state.bodies.clear();
    }

    /// How often anything was charged.
    pub(super) fn charges(&self) -> Vec<u32> {
        self.state.lock().unwrap().charges.values().copied().collect()
    }
}

async fn create(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    assert!(headers["authorization"].to_str().unwrap().starts_with("Bearer "));
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let mut state = shared.lock().unwrap();
    state.creates.push(key.clone());
    if let Some((after, stop)) = &state.stop_after
        && state.creates.len() >= *after
    {
        stop.cancel();
    }
    let mood = state.moods.pop_front();
    match mood {
        Some(Mood::Unavailable) => return problem(503, "unavailable", json!({})),
        Some(Mood::TokenExpired) => return problem(401, "token_expired", json!({})),
        Some(Mood::Declines) => return problem(402, "card_declined", json!({})),
        Some(Mood::Breaks | Mood::StaysOpen) | None => {}
    }
    if state.bodies.get(&key).is_some_and(|before| *before != body) {
        return problem(422, "idempotency_key_reused", json!({}));
    }
    if let Some(id) = state.keys.get(&key) {
        let id = id.clone();
        let payment = state.payments.get_mut(&id).unwrap();
        payment["status"] = "succeeded".into();
        return (StatusCode::CREATED, [("idempotency-replayed", "true")], payment.to_string())
            .into_response();
    }
    if asked["amount"] == 0 {
        let errors =
            json!([{"pointer": "/amount", "detail": "must be an integer of 1 to 999999999999 minor units"}]);
        return problem(400, "invalid_request", json!({ "errors": errors }));
    }
    let reference = asked["reference"].as_str().unwrap().to_owned();
    if let Some(taken) = state.references.get(&reference) {
        return problem(409, "reference_taken", json!({ "payment_id": taken }));
    }
    let status = if mood == Some(Mood::StaysOpen) { "processing" } else { "succeeded" };
    let id = format!("pay_{}", state.payments.len());
    let made = payment(&id, status, asked["amount"].as_i64().unwrap(), &reference);
    *state.charges.entry(reference).or_default() += 1;
    state.stands(made.clone());
    state.keys.insert(key.clone(), id);
    state.bodies.insert(key, body);
    match mood {
        // A panic in a handler ends its connection without an answer.
        Some(Mood::Breaks) => {
            drop(state);
            std::panic::resume_unwind(Box::new("the connection breaks off"));
        }
        Some(Mood::StaysOpen) => (StatusCode::ACCEPTED, made.to_string()).into_response(),
        _ => (StatusCode::CREATED, made.to_string()).into_response(),
    }
}

/// A payment as the suite shows it; what is succeeded is received.
pub(super) fn payment(id: &str, status: &str, amount: i64, reference: &str) -> Value {
    json!({
        "id": id, "status": status, "amount": amount, "currency": "USD", "reference": reference, "version": 1,
        "amount_received": amount, "amount_refunded": 0, "next_action": null, "needs_review": false,
    })
}

async fn confirm(State(shared): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let mut state = shared.lock().unwrap();
    state.confirms.push(headers["idempotency-key"].to_str().unwrap().to_owned());
    let payment = state.payments.get_mut(&id).unwrap();
    payment["status"] = "succeeded".into();
    let (answer, reference) = (payment.to_string(), payment["reference"].as_str().unwrap().to_owned());
    *state.charges.entry(reference).or_default() += 1;
    (StatusCode::OK, answer).into_response()
}

async fn read(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    let mut state = shared.lock().unwrap();
    let payment = state.payments.get_mut(&id).unwrap();
    let answer = payment.to_string();
    // What is processing is done when it is looked at again.
    if payment["status"] == "processing" {
        payment["status"] = "succeeded".into();
    }
    (StatusCode::OK, answer).into_response()
}

async fn list(State(shared): State<Shared>, uri: axum::http::Uri) -> Response {
    let reference = uri.query().unwrap().strip_prefix("reference=").unwrap();
    let state = shared.lock().unwrap();
    let data: Vec<_> = state.payments.values().filter(|payment| payment["reference"] == reference).collect();
    (StatusCode::OK, json!({ "data": data, "next_cursor": null }).to_string()).into_response()
}

fn problem(status: u16, code: &str, more: Value) -> Response {
    let mut body = json!({ "status": status, "code": code, "detail": format!("the fake says {code}") });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}
