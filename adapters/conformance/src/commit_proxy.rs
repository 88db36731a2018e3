//! A proxy before PostgreSQL that loses a connection exactly at one COMMIT: before the server has seen it, or
//! after it was made and before anybody was told.
//!
//! It reads the frontend's messages (PostgreSQL, "Message Formats"): one byte of type, four of length, except
//! the first ones of a connection, which have no type.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::wait::within;

/// What happens to a COMMIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The connection is cut and the server never sees it: it rolls back.
    LostBefore,
    /// The server makes it; the connection is cut before the answer.
    LostAfter,
    /// As before, and with it every other connection; there is no new one until [`CommitProxy::come_back`].
    LostAfterAndAway,
    /// It stays in the proxy, and the server does not see it.
    HeldBefore,
    /// The server makes it; the answer stays in the proxy.
    HeldAfter,
}

struct Order {
    marker: Vec<u8>,
    fate: Fate,
    met: oneshot::Sender<()>,
}

/// An order that will be carried out, or was.
pub struct Ordered(oneshot::Receiver<()>);

impl Ordered {
    /// Waits until the COMMIT met its fate.
    ///
    /// # Panics
    /// When it does not.
    pub async fn met(self) {
        within("the COMMIT", self.0).await.expect("the proxy runs");
    }
}

/// A running proxy; dropping it cuts every connection.
pub struct CommitProxy {
    port: u16,
    orders: Orders,
    away: watch::Sender<bool>,
    accepting: AbortHandle,
}

impl CommitProxy {
    /// Starts a proxy before the server of this address.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().expect("an address of PostgreSQL");
        let server = (options.get_host().to_owned(), options.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let orders = Orders::default();
        let away = watch::Sender::new(false);
        let accepting = accept(listener, server, Arc::clone(&orders), away.clone());
        let accepting = tokio::spawn(accepting).abort_handle();
        Self { port, orders, away, accepting }
    }

    /// The same address through this proxy.
    ///
    /// # Panics
    /// When it is no address of PostgreSQL.
    pub fn through(&self, url: &str) -> String {
        use sqlx::ConnectOptions;
        let options: PgConnectOptions = url.parse().expect("an address of PostgreSQL");
        options.host("127.0.0.1").port(self.port).to_url_lossy().to_string()
    }

    /// Orders the fate of the next COMMIT of a transaction that sent this text, in a statement or a value.
    pub fn next_commit_of(&self, marker: &str, fate: Fate) -> Ordered {
        let (met, meeting) = oneshot::channel();
        let order = Order { marker: marker.as_bytes().to_vec(), fate, met };
        *self.orders.lock().unwrap_or_else(PoisonError::into_inner) = Some(order);
        Ordered(meeting)
    }

    /// Cuts every connection; there is no new one until [`CommitProxy::come_back`].
    pub fn go_away(&self) {
        self.away.send_replace(true);
    }

    /// Lets the server be there again.
    pub fn come_back(&self) {
        self.away.send_replace(false);
    }
}

impl Drop for CommitProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

type Orders = Arc<Mutex<Option<Order>>>;

async fn accept(listener: TcpListener, server: (String, u16), orders: Orders, away: watch::Sender<bool>) {
    // Ends with this task, so nothing is passed on after the proxy was dropped.
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        if *away.borrow() {
            continue;
        }
        let (server, orders, away) = (server.clone(), Arc::clone(&orders), away.clone());
        connections.spawn(async move {
            // A connection that breaks is an end of either side, which the other side is told.
            let Ok(server) = TcpStream::connect(server).await else { return };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            pass(client, server, &orders, &away).await;
        });
    }
}

/// Passes both directions on until one ends.
async fn pass(client: TcpStream, server: TcpStream, orders: &Orders, away: &watch::Sender<bool>) {
    let mut going = away.subscribe();
    let (client_reads, client_writes) = client.into_split();
    let (server_reads, server_writes) = server.into_split();
    let mute = Mute::default();
    tokio::select! {
        _ = forward(client_reads, server_writes, orders, &mute, away) => {}
        _ = backward(server_reads, client_writes, &mute) => {}
        _ = going.wait_for(|away| *away) => {}
    }
}

/// Keeps what the server says from the client.
#[derive(Default)]
struct Mute {
    on: AtomicBool,
    /// Rung when the server has said something that the client does not hear.
    said: Notify,
}

/// From the client to the server, message by message.
async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    orders: &Orders,
    mute: &Mute,
    away: &watch::Sender<bool>,
) -> io::Result<()> {
    let mut started = false;
    let mut marked = false;
    loop {
        let message = read(&mut from, started).await?;
        if !started {
            // SSLRequest (80877103) asks; the real start-up message follows the server's "N".
            started = message.get(4..8) != Some(&80_877_103_u32.to_be_bytes());
        } else if message.first() == Some(&b'Q') && is_commit(&message) {
            if marked && let Some(Order { fate, met, .. }) = take(orders) {
                if matches!(fate, Fate::LostAfter | Fate::LostAfterAndAway | Fate::HeldAfter) {
                    mute.on.store(true, Ordering::SeqCst);
                    to.write_all(&message).await?;
                    mute.said.notified().await;
                }
                if fate == Fate::LostAfterAndAway {
                    away.send_replace(true);
                }
                let _ = met.send(());
                if matches!(fate, Fate::HeldBefore | Fate::HeldAfter) {
                    // Until the client is gone; the server is told by the end of this connection.
                    let _ = from.read_u8().await;
                }
                return Ok(());
            }
            marked = false;
        } else if message.first() == Some(&b'Q') && text(&message).starts_with(b"BEGIN") {
            marked = false;
        } else {
            marked = marked || is_marked(orders, &message);
        }
        to.write_all(&message).await?;
    }
}

/// From the server to the client.
async fn backward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mute: &Mute,
) -> io::Result<()> {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut bytes).await?;
        if read == 0 {
            return Ok(());
        }
        if mute.on.load(Ordering::SeqCst) {
            mute.said.notify_one();
        } else {
            to.write_all(&bytes[..read]).await?;
        }
    }
}

async fn read(from: &mut (impl AsyncRead + Unpin), typed: bool) -> io::Result<Vec<u8>> {
    let head = if typed { 5 } else { 4 };
    let mut message = vec![0; head];
    from.read_exact(&mut message).await?;
    let mut length = [0; 4];
    length.copy_from_slice(&message[head - 4..]);
    // The length counts itself and not the type.
    let rest = usize::try_from(u32::from_be_bytes(length)).unwrap_or(0).saturating_sub(4);
    message.resize(head + rest, 0);
    from.read_exact(&mut message[head..]).await?;
    Ok(message)
}

fn text(message: &[u8]) -> &[u8] {
    message.get(5..).unwrap_or_default()
}

fn is_commit(message: &[u8]) -> bool {
    text(message).starts_with(b"COMMIT")
}

fn is_marked(orders: &Orders, message: &[u8]) -> bool {
    let orders = orders.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(Order { marker, .. }) = orders.as_ref() else { return false };
    message.windows(marker.len()).any(|window| window == marker)
}

fn take(orders: &Orders) -> Option<Order> {
    orders.lock().unwrap_or_else(PoisonError::into_inner).take()
}
