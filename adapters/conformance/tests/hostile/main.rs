//! Hostile input through every front of real processes: the answer is a clear problem with a stable code, the
//! process lives and serves the next request, and its memory stays bounded.
//!
//! The fronts are a container over HTTP/1.1 and h2c, a Knative service over both, and a Lambda function behind a
//! REST API, an HTTP API, a function URL and load balancers with and without multi-value headers. `cases` is one
//! table for all of them. What needs a socket (`framing`, `streams`) cannot reach a function: the front in
//! between has read the request before it makes an event of it. What only an event can say is in `events`.

mod cases;
mod delivery;
mod delivery_sockets;
mod events;
mod everywhere;
mod forge;
mod frames;
mod framing;
mod function;
mod h1;
mod h2;
mod memory;
mod metrics;
mod request;
mod stage;
mod streams;
mod way;
