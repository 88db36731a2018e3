//! A wire between the processes and a server, which can be cut and held, and whose other end can go away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// A running proxy on a free port; dropping it cuts every connection.
pub struct Wire {
    port: u16,
    cuts: watch::Sender<u64>,
    held: watch::Sender<bool>,
    away: Arc<AtomicBool>,
    accepting: AbortHandle,
}

impl Wire {
    /// Starts a wire to this address.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (cuts, held) = (watch::Sender::new(0), watch::Sender::new(false));
        let away = Arc::<AtomicBool>::default();
        let accepting = accept(listener, server, cuts.clone(), held.clone(), Arc::clone(&away));
        let accepting = tokio::spawn(accepting).abort_handle();
        Self { port, cuts, held, away, accepting }
    }

    /// Where it begins.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts every connection that stands; new ones may come at once.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts every connection, and new ones at once, until [`Wire::come_back`]: the server keeps what it knows.
    pub fn go_away(&self) {
        self.away.store(true, Ordering::SeqCst);
        self.cut();
    }

    /// Lets the server be there again.
    pub fn come_back(&self) {
        self.away.store(false, Ordering::SeqCst);
    }

    /// Holds back, or lets go again, what is said in either direction.
    pub fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    cuts: watch::Sender<u64>,
    held: watch::Sender<bool>,
    away: Arc<AtomicBool>,
) {
    // Ends with this task, so nothing is passed on after the wire was dropped.
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (mut cuts, held) = (cuts.subscribe(), held.clone());
        cuts.mark_unchanged();
        // Looked at behind the mark: whoever comes before the cut is cut, and whoever comes after it is seen here.
        if away.load(Ordering::SeqCst) {
            continue;
        }
        connections.spawn(async move {
            // A server that is away looks like a connection that ends at once.
            let Ok(server) = TcpStream::connect(server).await else { return };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let (client_reads, client_writes) = client.into_split();
            let (server_reads, server_writes) = server.into_split();
            tokio::select! {
                _ = pass(client_reads, server_writes, held.subscribe()) => {}
                _ = pass(server_reads, client_writes, held.subscribe()) => {}
                _ = cuts.changed() => {}
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut held: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut bytes).await?;
        if read == 0 {
            return Ok(());
        }
        // The wire that held it is gone only with this task.
        let _ = held.wait_for(|held| !held).await;
        to.write_all(&bytes[..read]).await?;
    }
}
