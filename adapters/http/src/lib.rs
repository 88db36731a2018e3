//! The HTTP front: routes, caller, problems, limits, documentation page.

pub mod app;
pub mod call;
pub mod client;
pub mod docs;
mod health;
mod named;
pub mod network;
pub mod reply;
pub mod router;
pub mod server;
pub mod span;
pub mod target;
pub mod token;
