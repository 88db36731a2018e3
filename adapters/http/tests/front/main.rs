//! What the HTTP front promises, over a real socket, by a service as small as it can be.

#![expect(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests, not what they share")]

mod connections;
mod doors;
mod drain;
mod front;
mod headers;
mod health;
mod json;
mod limits;
mod metrics;
mod query;
mod replies;
mod shelf;
mod streams;
mod targets;
mod wire;
