//! The sandbox on a socket of its own: `florin sandbox`.

use std::future::IntoFuture;
use std::io;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Sandbox;

/// How long connections may finish what they are at.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves HTTP/1.1 and h2c until `stop`, lets held connections go, finishes what is in hand and closes the store.
pub async fn serve(listener: TcpListener, sandbox: Sandbox, stop: CancellationToken) -> io::Result<()> {
    let listener = listener.tap_io(|connection| {
        // Small answers must not wait for an acknowledgement; without it they are only slower.
        let _ = connection.set_nodelay(true);
    });
    let stopped = {
        let (sandbox, stop) = (sandbox.clone(), stop.clone());
        async move {
            stop.cancelled().await;
            sandbox.release();
        }
    };
    let server = axum::serve(listener, sandbox.router()).with_graceful_shutdown(stopped).into_future();
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    let served = tokio::select! {
        served = server => served,
        () = overdue => Ok(()),
    };
    sandbox.close().await;
    served
}
