//! A Lambda Runtime API server, small and real enough to drive a bootstrap through its whole life.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>, with the two calls of the Extensions API
//! that a graceful shutdown makes. It refuses what AWS refuses: an answer for an invocation that is not open,
//! one over 6 MB, one that is not JSON.

pub mod fronts;

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use florin_kernel::time::Clock;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};

/// The largest answer that AWS takes from a synchronous invocation, in bytes.
const LARGEST_ANSWER: usize = 6_291_556;

/// How one invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Invoked {
    /// The function answered.
    Answered(Value),
    /// The function reported an error: `{"errorType": ..., "errorMessage": ...}`.
    Failed(Value),
    /// The deadline came first; AWS would kill the process now.
    TimedOut,
}

impl Invoked {
    /// The answer of an invocation that has to have one.
    pub fn answer(self) -> Value {
        match self {
            Self::Answered(answer) => answer,
            Self::Failed(error) => panic!("the invocation failed: {error}"),
            Self::TimedOut => panic!("the invocation timed out"),
        }
    }
}

/// A running server on a free loopback port; dropping it ends it.
pub struct LambdaRuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<Event>,
    state: Arc<State>,
    accepting: AbortHandle,
    ahead_micros: AtomicI64,
}

struct Event {
    request_id: String,
    payload: Bytes,
    deadline_ms: i64,
}

struct State {
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Event>>,
    open: Mutex<HashMap<String, oneshot::Sender<Invoked>>>,
    invocations: Mutex<u64>,
    init_error: watch::Sender<Option<Value>>,
}

impl State {
    fn close(&self, request_id: &str) -> Option<oneshot::Sender<Invoked>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(request_id)
    }

    fn next_request_id(&self) -> String {
        let mut invocations = self.invocations.lock().unwrap_or_else(PoisonError::into_inner);
        *invocations += 1;
        format!("00000000-0000-4000-8000-{invocations:012}")
    }
}

impl LambdaRuntimeApi {
    /// Starts a server.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (events, waiting) = mpsc::unbounded_channel();
        let state = Arc::new(State {
            waiting: tokio::sync::Mutex::new(waiting),
            open: Mutex::default(),
            invocations: Mutex::default(),
            init_error: watch::Sender::new(None),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
        Ok(Self { address, events, state, accepting, ahead_micros: AtomicI64::new(0) })
    }

    /// The function's clock is ahead of ours by as much: its deadlines are in its own time.
    pub fn set_ahead(&self, by: Duration) {
        self.ahead_micros.store(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// The variables that AWS sets for a function's process.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_LAMBDA_RUNTIME_API", self.address.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", "florin".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/florin".to_owned()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/31/[$LATEST]0".to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("_HANDLER", "bootstrap".to_owned()),
        ]
    }

    /// Invokes the function and waits for how it ends, with a deadline of 30 s.
    pub async fn invoke(&self, event: &Value) -> Invoked {
        self.invoke_within(Duration::from_secs(30), event.to_string()).await
    }

    /// Invokes the function with this payload, which need not be JSON that anybody expects.
    pub async fn invoke_within(&self, timeout: Duration, payload: impl Into<Bytes>) -> Invoked {
        let request_id = self.state.next_request_id();
        let (ends, ended) = oneshot::channel();
        self.state.open.lock().unwrap_or_else(PoisonError::into_inner).insert(request_id.clone(), ends);
        let ahead = u64::try_from(self.ahead_micros.load(Ordering::SeqCst)).unwrap_or(0);
        let deadline_ms = Clock::System.now().plus(Duration::from_micros(ahead)).plus(timeout).as_millis();
        let event = Event { request_id: request_id.clone(), payload: payload.into(), deadline_ms };
        self.events.send(event).unwrap_or_else(|_| panic!("the server holds the other end"));
        match tokio::time::timeout(timeout, ended).await {
            Ok(Ok(invoked)) => invoked,
            Ok(Err(_)) | Err(_) => {
                self.state.close(&request_id);
                Invoked::TimedOut
            }
        }
    }

    /// Waits until the process reports that it cannot start, and returns what it says.
    pub async fn init_error(&self) -> Value {
        let mut reports = self.state.init_error.subscribe();
        let report = reports.wait_for(Option::is_some).await;
        report.ok().and_then(|report| report.clone()).unwrap_or(Value::Null)
    }
}

impl Drop for LambdaRuntimeApi {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    // Ends with this task, so nothing serves after the server was dropped.
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&state), request));
            // A connection that breaks is the client's end: a killed process, mostly.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let path: Vec<&str> = parts.uri.path().trim_start_matches('/').split('/').collect();
    Ok(match (&parts.method, path.as_slice()) {
        (&Method::GET, ["2018-06-01", "runtime", "invocation", "next"]) => next(&state).await,
        (&Method::POST, ["2018-06-01", "runtime", "invocation", request_id, "response"]) => {
            if body.len() > LARGEST_ANSWER {
                ended(&state, request_id, Invoked::Failed(too_large()), StatusCode::PAYLOAD_TOO_LARGE)
            } else {
                match serde_json::from_slice(&body) {
                    Ok(answer) => ended(&state, request_id, Invoked::Answered(answer), StatusCode::ACCEPTED),
                    Err(_) => status(StatusCode::BAD_REQUEST),
                }
            }
        }
        (&Method::POST, ["2018-06-01", "runtime", "invocation", request_id, "error"]) => {
            let error = serde_json::from_slice(&body).unwrap_or_default();
            ended(&state, request_id, Invoked::Failed(error), StatusCode::ACCEPTED)
        }
        (&Method::POST, ["2018-06-01", "runtime", "init", "error"]) => {
            state.init_error.send_replace(Some(serde_json::from_slice(&body).unwrap_or_default()));
            status(StatusCode::ACCEPTED)
        }
        (&Method::POST, ["2020-01-01", "extension", "register"]) => registered(),
        // Nobody subscribes to events here, so the next one never comes.
        (&Method::GET, ["2020-01-01", "extension", "event", "next"]) => std::future::pending().await,
        _ => status(StatusCode::NOT_FOUND),
    })
}

/// The next invocation, when there is one. Giving up the wait loses none.
async fn next(state: &State) -> Response<Full<Bytes>> {
    let Some(event) = state.waiting.lock().await.recv().await else {
        return status(StatusCode::INTERNAL_SERVER_ERROR);
    };
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", &event.request_id)
        .header("lambda-runtime-deadline-ms", event.deadline_ms)
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:florin",
        )
        .header(
            "lambda-runtime-trace-id",
            "Root=1-697dd2b8-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1",
        )
        .body(Full::new(event.payload))
        .expect("these headers are valid")
}

fn ended(state: &State, request_id: &str, invoked: Invoked, taken: StatusCode) -> Response<Full<Bytes>> {
    match state.close(request_id) {
        Some(ends) => {
            // The caller may have stopped waiting at the deadline; AWS says the same as for an unknown one.
            let sent = ends.send(invoked);
            status(if sent.is_ok() { taken } else { StatusCode::BAD_REQUEST })
        }
        None => status(StatusCode::BAD_REQUEST),
    }
}

fn too_large() -> Value {
    serde_json::json!({
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": format!("Response payload size exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes)."),
    })
}

fn registered() -> Response<Full<Bytes>> {
    let body = r#"{"functionName":"florin","functionVersion":"$LATEST","handler":"bootstrap"}"#;
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-extension-identifier", "11111111-1111-4111-8111-111111111111")
        .body(Full::from(body))
        .expect("these headers are valid")
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let body = if status.is_success() { r#"{"status":"OK"}"# } else { r#"{"errorType":"InvalidRequest"}"# };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response
}
