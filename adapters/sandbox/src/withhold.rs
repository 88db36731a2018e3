//! Awkward answers: one that comes late, and one that never comes.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::StatusCode;

use crate::Sandbox;

/// Waits, but not beyond [`Sandbox::release`].
pub(crate) async fn wait(sandbox: &Sandbox, how_long: Duration) {
    tokio::select! {
        () = tokio::time::sleep(how_long) => {}
        () = sandbox.0.closing.cancelled() => {}
    }
}

/// Keeps the connection open for the configured time and then makes the server close it without an answer.
///
/// A body that fails at its first byte does that: over HTTP/1.1 hyper drops the connection before it has
/// written the head, and over HTTP/2 it resets the stream. A panic would do it too, until somebody wraps the
/// router in a layer that turns panics into answers.
pub(crate) async fn answer(sandbox: &Sandbox) -> Response {
    wait(sandbox, sandbox.0.config.hold).await;
    let cut: Result<Bytes, io::Error> = Err(io::ErrorKind::ConnectionAborted.into());
    (StatusCode::GATEWAY_TIMEOUT, Body::from_stream(stream::iter([cut]))).into_response()
}
