//! The host: the only place that knows every service and every adapter.

pub mod card;
pub mod command;
pub mod config;
pub mod demo;
pub mod deployment;
pub mod functions;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod lock;
pub mod program;
pub mod queue;
pub mod sandbox_here;
pub mod schema;
#[cfg(feature = "lambda")]
pub mod secrets;
pub mod serve;
pub mod services;
mod sqlite;
pub mod telemetry;
#[cfg(feature = "failpoints")]
mod unruly;
