//! A queue service that speaks as Amazon SQS does (JSON 1.0), as far as Florin asks it, and is as unruly as a standard
//! queue may be: late, in another order, twice, with answers that are lost.
//!
//! Emulators that do all of SQS take longer for one round than everything else together.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::dice::Dice;

const ACCOUNT: &str = "123456789012";

/// Of a hundred messages so many are handed out twice, and of a hundred batches so many answers are lost.
const TWICE: u64 = 5;
const LOST: u64 = 2;

/// A running service on a free port; dropping it ends it, and its queues are gone.
pub(crate) struct QueueService {
    base: String,
    state: Arc<State>,
    accepting: AbortHandle,
}

struct State {
    base: String,
    queues: Mutex<Queues>,
    away: AtomicBool,
}

struct Queues {
    dice: Dice,
    number: u64,
    queues: HashMap<String, Queue>,
}

#[derive(Default)]
struct Queue {
    messages: Vec<Message>,
    visibility: Duration,
}

/// A message, and the receipt that the last receiver of it has.
struct Message {
    id: String,
    receipt: String,
    body: Value,
    attributes: Value,
    visible_at: Instant,
    received: u64,
}

/// A call that is refused: its type and a sentence.
type Refused = (&'static str, String);

impl QueueService {
    /// Starts it.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let queues = Queues { dice: Dice::new(0), number: 0, queues: HashMap::new() };
        let state =
            Arc::new(State { base: base.clone(), queues: Mutex::new(queues), away: AtomicBool::new(false) });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
        Self { base, state, accepting }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// From now on this seed decides.
    pub(crate) fn reseed(&self, seed: u64) {
        self.state.queues().dice = Dice::of(seed, "queues");
    }

    /// Says whether every call is answered 503 and changes nothing.
    pub(crate) fn set_away(&self, away: bool) {
        self.state.away.store(away, Ordering::SeqCst);
    }
}

impl Drop for QueueService {
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

async fn answer(state: Arc<State>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    if state.away.load(Ordering::SeqCst) {
        return Ok(said(StatusCode::SERVICE_UNAVAILABLE, &json!({ "__type": "ServiceUnavailable" })));
    }
    let target =
        parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let action = target.rsplit('.').next().unwrap_or_default();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let wait = Duration::from_secs(asked["WaitTimeSeconds"].as_u64().unwrap_or(0));
    let end = Instant::now() + wait;
    loop {
        match state.queues().call(&state.base, action, &asked) {
            Ok(None) => return Err(io::Error::other("the answer is lost")),
            // A long poll: there is nothing yet.
            Ok(Some(answer)) if answer.get("Messages") == Some(&json!([])) && Instant::now() < end => {}
            Ok(Some(answer)) => return Ok(said(StatusCode::OK, &answer)),
            Err((kind, why)) => {
                let error = json!({ "__type": format!("com.amazonaws.sqs#{kind}"), "message": why });
                return Ok(said(StatusCode::BAD_REQUEST, &error));
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn said(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", "application/x-amz-json-1.0".parse().expect("a media type"));
    response
}

impl State {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().expect("nobody panics here")
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:eu-central-1:{ACCOUNT}:{name}")
}

/// The entries of a batch, or the one call as if it were one.
fn entries(asked: &Value) -> Vec<Value> {
    match asked["Entries"].as_array() {
        Some(entries) => entries.clone(),
        None => vec![asked.clone()],
    }
}

impl Queues {
    /// Does what is asked for; nothing where it was done and the answer is lost.
    fn call(&mut self, base: &str, action: &str, asked: &Value) -> Result<Option<Value>, Refused> {
        let name = match asked["QueueName"].as_str() {
            Some(name) => name,
            None => text(asked, "QueueUrl").rsplit('/').next().unwrap_or_default(),
        };
        if action == "CreateQueue" {
            self.queues.entry(name.to_owned()).or_default();
        }
        let Self { dice, number, queues } = self;
        let Some(queue) = queues.get_mut(name) else {
            return Err(("QueueDoesNotExist", format!("there is no queue {name}")));
        };
        let done = |entry: &Value| json!({ "Id": entry["Id"] });
        let answer = match action {
            "CreateQueue" | "GetQueueUrl" => {
                queue.configure(&asked["Attributes"]);
                json!({ "QueueUrl": format!("{base}/{ACCOUNT}/{name}") })
            }
            "SetQueueAttributes" => {
                queue.configure(&asked["Attributes"]);
                json!({})
            }
            "GetQueueAttributes" => json!({ "Attributes": { "QueueArn": arn(name) } }),
            "SendMessage" | "SendMessageBatch" => {
                let mut sent = Vec::new();
                for entry in entries(asked) {
                    *number += 1;
                    let copies = 1 + usize::from(dice.percent(TWICE));
                    for _ in 0..copies {
                        queue.messages.push(Message::of(&entry, *number, dice));
                    }
                    sent.push(json!({ "Id": entry["Id"], "MessageId": format!("message-{number}") }));
                }
                if dice.percent(LOST) {
                    return Ok(None);
                }
                match asked.get("Entries") {
                    Some(_) => json!({ "Successful": sent, "Failed": [] }),
                    None => sent.pop().unwrap_or_default(),
                }
            }
            "ReceiveMessage" => json!({ "Messages": queue.receive(asked, number, dice) }),
            "DeleteMessage" | "DeleteMessageBatch" => {
                let entries = entries(asked);
                queue.messages.retain(|message| {
                    !entries.iter().any(|entry| text(entry, "ReceiptHandle") == message.receipt)
                });
                json!({ "Successful": entries.iter().map(done).collect::<Vec<_>>(), "Failed": [] })
            }
            "ChangeMessageVisibility" | "ChangeMessageVisibilityBatch" => {
                let entries = entries(asked);
                for entry in &entries {
                    let seconds = entry["VisibilityTimeout"].as_u64().unwrap_or(0);
                    let held =
                        queue.messages.iter_mut().filter(|m| m.receipt == text(entry, "ReceiptHandle"));
                    held.for_each(|message| {
                        message.visible_at = Instant::now() + Duration::from_secs(seconds)
                    });
                }
                json!({ "Successful": entries.iter().map(done).collect::<Vec<_>>(), "Failed": [] })
            }
            other => return Err(("UnsupportedOperation", format!("{other} is not played here"))),
        };
        Ok(Some(answer))
    }
}

impl Queue {
    fn configure(&mut self, attributes: &Value) {
        if let Some(seconds) = attributes["VisibilityTimeout"].as_str().and_then(|text| text.parse().ok()) {
            self.visibility = Duration::from_secs(seconds);
        }
    }

    /// Some of the messages that may be seen, in an order of chance.
    fn receive(&mut self, asked: &Value, number: &mut u64, dice: &mut Dice) -> Vec<Value> {
        let now = Instant::now();
        let most = usize::try_from(asked["MaxNumberOfMessages"].as_u64().unwrap_or(1)).unwrap_or(1);
        let held = asked["VisibilityTimeout"].as_u64().map_or(self.visibility, Duration::from_secs);
        let mut seen: Vec<&mut Message> =
            self.messages.iter_mut().filter(|message| message.visible_at <= now).collect();
        seen.sort_by_cached_key(|_| dice.next());
        seen.truncate(most);
        seen.into_iter()
            .map(|message| {
                *number += 1;
                message.visible_at = now + held;
                message.received += 1;
                message.receipt = format!("receipt-{number}");
                message.handed_out()
            })
            .collect()
    }
}

impl Message {
    fn of(entry: &Value, number: u64, dice: &mut Dice) -> Self {
        Self {
            id: format!("message-{number}"),
            receipt: String::new(),
            body: entry["MessageBody"].clone(),
            attributes: entry.get("MessageAttributes").cloned().unwrap_or_else(|| Value::Object(Map::new())),
            visible_at: Instant::now() + Duration::from_millis(dice.below(80)),
            received: 0,
        }
    }

    fn handed_out(&self) -> Value {
        json!({
            "MessageId": self.id, "ReceiptHandle": self.receipt, "Body": self.body,
            "Attributes": { "ApproximateReceiveCount": self.received.to_string() },
            "MessageAttributes": self.attributes,
        })
    }
}
