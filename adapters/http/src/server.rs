//! A socket that speaks HTTP/1.1 and h2c, and drains in the order platforms need.

use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

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

/// Serves until the drain is over.
pub async fn serve(listener: TcpListener, router: Router, drain: Drain) {
    let graceful = GracefulShutdown::new();
    let mut server = auto::Builder::new(TokioExecutor::new());
    // A client that sends its headers slowly holds a connection and nothing else, and not for long.
    server.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10));
    server
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .max_concurrent_streams(256);
    let over = async {
        drain.stop.cancelled().await;
        tokio::time::sleep(drain.linger).await;
    };
    let mut over = std::pin::pin!(over);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut over => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: wait for some to close.
                tracing::warn!(error.message = %error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error.message = %error, "TCP_NODELAY was not set");
        }
        let service = TowerToHyperService::new(router.clone());
        let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error.message = %error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(drain.patience, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still in flight when the drain ended");
    }
}
