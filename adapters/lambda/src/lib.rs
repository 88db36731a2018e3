//! The AWS Lambda front: API Gateway, ALB, function URL, SQS and schedules, told apart by the shape of the event.
//!
//! `lambda_http` is not used: it panics on a malformed Host, query or base64 body, drops repeated headers,
//! prefixes stages and resolves dot segments, and what is left after validating before it is this crate.

pub mod batch;
mod event;
mod headers;
pub mod kind;
mod path;
mod query;
pub mod refusal;
pub mod request;
pub mod response;
pub mod schedule;
mod sns;

pub use kind::{Front, Kind};
pub use path::{BasePath, NotABasePath};
pub use refusal::Refusal;
