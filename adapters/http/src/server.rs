//! A socket that speaks HTTP/1.1 and h2c, and drains in the order platforms need.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::call::brought_id;
use crate::span::Served;
use crate::{reply, target};

/// How a server ends.
#[derive(Clone, Debug)]
pub struct Drain {
    /// Rung on SIGTERM.
    pub stop: CancellationToken,
    /// How long to keep serving after it: the platform still sends requests to a process that is going.
    pub linger: Duration,
    /// How long requests in flight may take after that.
    pub patience: Duration,
}

/// What connections may take of this process.
#[derive(Clone, Debug)]
pub struct Sockets {
    /// How many there are at once; the next ones wait to be accepted.
    pub connections: usize,
    /// How long a new one may take to bring the head of its first request.
    pub first_request: Duration,
    /// How long one may rest between requests, or take for the head of a further one. Longer than a gateway
    /// rests (60 s at an ALB and at nginx), so that it is never we who close while it sends.
    pub idle: Duration,
}

impl Default for Sockets {
    fn default() -> Self {
        Self { connections: 16_384, first_request: Duration::from_secs(10), idle: Duration::from_secs(75) }
    }
}

/// The most bytes of a request's head, HTTP/1.1 and HTTP/2 alike.
const HEAD_BYTES: usize = 64 * 1024;

/// Serves until the drain is over.
pub async fn serve(listener: TcpListener, router: Router, drain: Drain) {
    serve_within(listener, router, drain, Sockets::default()).await;
}

/// As [`serve`], with bounds of its own.
pub async fn serve_within(listener: TcpListener, router: Router, drain: Drain, sockets: Sockets) {
    let graceful = GracefulShutdown::new();
    let server = protocols(&sockets);
    let places = Arc::new(Semaphore::new(sockets.connections.min(Semaphore::MAX_PERMITS)));
    let over = async {
        drain.stop.cancelled().await;
        tokio::time::sleep(drain.linger).await;
    };
    let mut over = std::pin::pin!(over);
    loop {
        let (stream, place) = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut over => break,
        };
        let heard = Arc::new(AtomicBool::new(false));
        let service = {
            let (router, heard) = (router.clone(), Arc::clone(&heard));
            service_fn(move |request| {
                heard.store(true, Ordering::Relaxed);
                enter(router.clone(), request)
            })
        };
        let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                biased;
                ended = &mut connection => ended,
                () = tokio::time::sleep(sockets.first_request) => {
                    // The protocols' own time-outs begin when it is known which one is spoken.
                    if !heard.load(Ordering::Relaxed) {
                        return;
                    }
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(error.message = %error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(drain.patience, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still in flight when the drain ended");
    }
}

fn protocols(sockets: &Sockets) -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    // Who closes the writing half is taken for gone: TCP says the same of both, and whoever has gone must not hold a
    // place until its room has ended.
    server.http1().timer(TokioTimer::new()).header_read_timeout(sockets.idle).max_buf_size(HEAD_BYTES);
    server
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        .max_concurrent_streams(256);
    server
}

/// The next connection, when there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let place = Arc::clone(places).acquire_owned().await.expect("nobody closes it");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(error.message = %error, "TCP_NODELAY was not set");
                }
                return (stream, place);
            }
            Err(error) => {
                // Out of file descriptors, most likely: wait for some to close.
                tracing::warn!(error.message = %error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// One request, on its way to its route if its target has one meaning.
async fn enter(router: Router, request: http::Request<Incoming>) -> Result<Response, Infallible> {
    if let Err(refusal) = target::check(&request) {
        let served = Served::begin(&request);
        let problem = refusal.code().because(refusal.to_string());
        let response = reply::problem(&problem, &served.trace);
        served.end(response.status());
        return Ok(reply::dressed(response, brought_id(request.headers()), &served.trace));
    }
    router.oneshot(request).await
}
