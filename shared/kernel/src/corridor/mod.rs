//! The corridor every invocation walks: limits, caller, scope, parse, idempotency, begin, run, outbox, commit.

mod act;
mod bells;
mod change;
mod command;
mod delivery;
mod doubt;
mod effect;
mod forbidden;
mod query;
mod tick;
mod waiting;

use std::any::Any;
use std::panic::AssertUnwindSafe;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::time::Instant;

pub(crate) use act::Act;
pub(crate) use bells::Bells;
pub use delivery::{Disposition, LADDER};
pub use effect::EffectRun;
pub use tick::KernelJob;

use crate::answer::Answered;
use crate::caller::Caller;
use crate::door::{Access, Method, Reads, Takes};
use crate::event::TraceParent;
use crate::function::{DoorRoom, Function, Room};
use crate::input::{self, Input};
use crate::problem::{Problem, codes};
use crate::service::Service;
use crate::stop::{Fault, Stop};

/// An HTTP request as it stands at an operation's door: routed, within limits, its token verified.
#[derive(Clone, Debug)]
pub struct HttpCall {
    /// The verified caller; none without a token.
    pub caller: Option<Caller>,
    /// The concrete path, for the fingerprint.
    pub path: String,
    /// Percent-decoded path parameters.
    pub path_parameters: Vec<(String, String)>,
    /// Percent-decoded query parameters.
    pub query: Vec<(String, String)>,
    /// `Content-Type`, lower case, without parameters.
    pub content_type: Option<String>,
    /// What the header fields and cookies that the door names hold: those that were sent, or what is wrong with one,
    /// which only those hear who may enter.
    pub read: Result<Vec<(Reads, String)>, Problem>,
    /// The body.
    pub body: Bytes,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// `X-Request-Id`, or the front's own.
    pub request_id: Option<String>,
    /// W3C trace context of this request.
    pub trace: Option<TraceParent>,
    /// When the work must end: the platform's deadline minus a margin.
    pub deadline: Option<Instant>,
}

impl HttpCall {
    fn read(&self, reads: Reads) -> Option<&str> {
        let sent = self.read.as_ref().ok()?;
        sent.iter().find(|(one, _)| *one == reads).map(|(_, value)| value.as_str())
    }

    fn trace_id(&self) -> String {
        self.trace.as_ref().map(|t| t.trace_id().to_owned()).unwrap_or_default()
    }
}

impl Service {
    /// Invokes a function by its HTTP door.
    pub async fn call(self: &std::sync::Arc<Self>, function: &'static Function, call: HttpCall) -> Answered {
        let answered = match function.door().map(|at| admit(at, &call)) {
            None => Err(codes::NOT_FOUND.because("this function has no HTTP door")),
            Some(Err(problem)) => {
                if self.schema_fits().await.is_ok() {
                    Box::pin(self.record_forbidden(function, &call, &problem)).await;
                }
                Err(problem)
            }
            Some(Ok(caller)) => match (self.schema_fits().await, &function.room) {
                (Err(problem), _) => Err(problem),
                // On the heap: a command's future is many times a query's, and every call would be moved at its size.
                (Ok(()), Room::Command(room)) => Box::pin(self.command(function, room, &call, caller)).await,
                (Ok(()), Room::Query(room)) => self.query(function, room, &call, caller).await,
                (Ok(()), Room::Reaction(_) | Room::Job(_) | Room::Effect(_)) => {
                    Err(codes::NOT_FOUND.because("this function has no HTTP door"))
                }
            },
        };
        answered.unwrap_or_else(|problem| match function.door() {
            Some(at) => Answered::refused(&at.door, &problem, &call.trace_id()),
            None => Answered::problem(&problem, &call.trace_id()),
        })
    }
}

/// Deny by default: the caller of a door, or why nobody may enter.
fn admit(at: &DoorRoom, call: &HttpCall) -> Result<Caller, Problem> {
    match at.door.access {
        Access::Scope(scope) => match &call.caller {
            None => Err(codes::UNAUTHENTICATED.because("no bearer token was given")),
            Some(caller) if caller.may(scope) => Ok(caller.clone()),
            Some(_) => {
                Err(codes::FORBIDDEN.because(format!("the scope {scope} is needed")).with("scope", scope))
            }
        },
        Access::Public => call
            .path_parameters
            .iter()
            .find(|(name, _)| name == "tenant")
            .and_then(|(_, tenant)| tenant.parse().ok())
            .map(|tenant| Caller::system(Caller::STRANGER, tenant))
            .ok_or_else(|| codes::NOT_FOUND.because("there is no such tenant")),
    }
}

/// The fields of the request. Parsing them into their type is the room's own first step.
fn input(at: &DoorRoom, call: &HttpCall) -> Result<Input, Problem> {
    let mut input = Input::default();
    // What a body says must not also be said by an address, which logs and proxies keep.
    if let (true, Some((name, _))) = (at.door.method != Method::Get, call.query.first()) {
        return Err(input::unknown_parameter(name));
    }
    // It would be a second way to say parameters, which caches and gateways do not look at (RFC 9110, section 9.3.1).
    if at.door.method == Method::Get && !call.body.is_empty() {
        return Err(codes::INVALID_REQUEST.because("GET takes no body"));
    }
    if let Err(problem) = &call.read {
        return Err(problem.clone());
    }
    for reads in at.door.named() {
        input.bind(reads, call.read(reads));
    }
    if let Takes::Signed { .. } = at.door.takes {
        use base64::Engine;
        let body = base64::engine::general_purpose::STANDARD.encode(&call.body);
        input.bind(Reads::Header { name: "body", field: "body" }, Some(&body));
    }
    for (name, value) in call.path_parameters.iter().chain(&call.query) {
        input.parameter(name.clone(), value.clone())?;
    }
    match at.door.takes {
        Takes::Json => {
            if !call.body.is_empty() && call.content_type.as_deref().is_some_and(|t| !is_json(t)) {
                return Err(codes::UNSUPPORTED_MEDIA_TYPE.because("application/json is taken here"));
            }
            input.body(&call.body)?;
        }
        Takes::Form => {
            if !call.body.is_empty()
                && call.content_type.as_deref() != Some("application/x-www-form-urlencoded")
            {
                return Err(
                    codes::UNSUPPORTED_MEDIA_TYPE.because("application/x-www-form-urlencoded is taken here")
                );
            }
            for (name, value) in form_urlencoded::parse(&call.body) {
                input.parameter(name.into_owned(), value.into_owned())?;
            }
        }
        Takes::Signed { .. } => {}
    }
    Ok(input)
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || media_type.ends_with("+json")
}

/// Runs a room; a panic in it is a fault like any other, and the process lives.
async fn guarded<T>(room: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
    AssertUnwindSafe(room)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(Stop::Fault(Fault::Panic(panic_text(&panic)))))
}

fn panic_text(panic: &Box<dyn Any + Send>) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned())
}
