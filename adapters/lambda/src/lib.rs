//! The AWS Lambda front: API Gateway, ALB, function URL, SQS and schedules, told apart by the shape of the event.
//!
//! `lambda_http` is not used: it panics on a malformed Host, query or base64 body, drops repeated headers,
//! prefixes stages and resolves dot segments, and what is left after validating before it is this crate.

mod app;
pub mod batch;
mod budget;
mod deliveries;
mod event;
mod headers;
pub mod kind;
mod path;
mod query;
pub mod refusal;
pub mod request;
pub mod response;
mod routed;
mod runtime;
pub mod schedule;
mod settle;
mod trace;

pub use app::{App, Flush, Invocation, InvocationError};
pub use deliveries::{Postpone, Postponed};
pub use kind::{Front, Kind};
pub use path::{BasePath, NotABasePath};
pub use refusal::Refusal;
pub use runtime::run;
