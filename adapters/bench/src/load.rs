//! The load generator: a closed loop of clients over HTTP/1.1 keep-alive, all on one thread.
//!
//! Our own, because it must take less of two processors than any server it measures, and because a client of the
//! flow sends a second request that depends on the answer to the first. It knows what our servers send and no
//! more of HTTP. How busy its thread was is part of every result, so that it cannot be the bottleneck unseen.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::error::{Outcome, Trouble};
use crate::latencies::Latencies;

/// One client's connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    head: usize,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8 * 1024), head: 0 })
    }

    /// Sends a request as it stands on the wire and reads the answer; its status.
    pub async fn send(&mut self, request: &[u8]) -> Outcome<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(Trouble::failed("the connection was closed before the answer"));
            }
            let Some(head) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            self.head = head + 4;
            let (status, length) = read_head(&self.buffer[..head])?;
            while self.buffer.len() < self.head + length {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err(Trouble::failed("the connection was closed within the answer"));
                }
            }
            return Ok(status);
        }
    }

    /// The body of the last answer.
    pub fn body(&self) -> &[u8] {
        &self.buffer[self.head..]
    }
}

fn read_head(head: &[u8]) -> Outcome<(u16, usize)> {
    let text = std::str::from_utf8(head)?;
    let status = text.get(9..12).and_then(|status| status.parse().ok());
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    match (status, length) {
        (Some(status), Some(length)) => Ok((status, length)),
        _ => Err(Trouble::failed(format!("an answer without a length: {text}"))),
    }
}

/// What a load came to.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// How long it went on.
    pub elapsed: Duration,
    /// What each turn of a client took.
    pub latencies: Latencies,
    /// The share of one processor that the generator took.
    pub busy: f64,
}

impl Loaded {
    /// Turns a second.
    pub fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let count = self.latencies.count() as f64;
        count / self.elapsed.as_secs_f64()
    }
}

/// Has so many clients take their turns, each again as soon as the last one is over, for so long. The calling
/// thread waits; the clients run on a thread of their own.
pub fn closed_loop<T>(address: SocketAddr, clients: usize, lasts: Duration, turn: T) -> Outcome<Loaded>
where
    T: AsyncFn(&mut Connection) -> Outcome<()> + Sync,
{
    let generate = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let loaded: Outcome<Loaded> = runtime.block_on(async {
            let connections = try_join_all((0..clients).map(|_| Connection::open(address))).await?;
            let (cpu, began) = (own_cpu(), Instant::now());
            let client = async |mut on: Connection| {
                let mut latencies = Latencies::default();
                while began.elapsed() < lasts {
                    let sent = Instant::now();
                    turn(&mut on).await?;
                    latencies.add(sent.elapsed());
                }
                Ok::<_, Trouble>(latencies)
            };
            let all = try_join_all(connections.into_iter().map(client)).await?;
            let elapsed = began.elapsed();
            let mut latencies = Latencies::default();
            all.iter().for_each(|of_one| latencies.extend(of_one));
            let busy = own_cpu().saturating_sub(cpu).as_secs_f64() / elapsed.as_secs_f64();
            Ok(Loaded { elapsed, latencies, busy })
        });
        loaded
    };
    std::thread::scope(|scope| {
        let generator = scope.spawn(generate);
        generator.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// What this thread has spent of a processor.
fn own_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
