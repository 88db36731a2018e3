//! HTTP/1.1 byte by byte.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::request::Request;

/// Longer than any answer takes on a machine that is building at the same time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    /// The body, where it is JSON; `null` where there is none.
    pub(crate) body: Value,
}

impl Heard {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// One connection.
pub(crate) struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the process listens");
        stream.set_nodelay(true).expect("a TCP socket");
        Self { stream, read: Vec::new() }
    }

    /// Writes; that the other side has closed meanwhile is not this call's business.
    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let _ = self.stream.write_all(bytes.as_ref()).await;
        self
    }

    /// Closes the writing half; the other side may have closed the connection already.
    pub(crate) async fn half_close(&mut self) -> &mut Self {
        let _ = self.stream.shutdown().await;
        self
    }

    /// The next bytes, exactly so many; none when the end comes first.
    pub(crate) async fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.read.len() < count {
            self.more().await.then_some(())?;
        }
        Some(self.read.drain(..count).collect())
    }

    /// Waits for the end and gives what came before it.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.read)
    }

    async fn more(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut chunk)).await;
        match read.expect("bytes or the end within the test's patience") {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.read.extend(&chunk[..count]);
                true
            }
        }
    }

    /// The next answer; none when the connection ends first.
    pub(crate) async fn hear(&mut self) -> Option<Heard> {
        let end = loop {
            match self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => self.more().await.then_some(())?,
            }
        };
        let head = self.take(end).await?;
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length = length.map_or(0, |length| length.trim().parse().expect("a length"));
        let bytes = self.take(length).await?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Some(Heard { status: status.unwrap_or_else(|| panic!("no status in {head}")), body })
    }
}

/// The head of a request up to its own header fields.
pub(crate) fn head(request: &Request, token: &str) -> Vec<u8> {
    let mut head = [request.method.as_bytes(), b" ", &request.target, b" HTTP/1.1\r\n"].concat();
    let mut line = |name: &str, value: &[u8]| {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    };
    line("host", request.host.as_bytes());
    for value in request.authorizations(token) {
        line("authorization", value.as_bytes());
    }
    for (name, value) in &request.headers {
        line(name, value);
    }
    head
}

/// Sends a request on a connection of its own; no answer when the connection ends without one.
pub(crate) async fn send(address: SocketAddr, request: &Request, token: &str) -> Option<Heard> {
    let mut wire = Wire::to(address).await;
    let mut bytes = head(request, token);
    if !request.body.is_empty() {
        bytes.extend(format!("content-length: {}\r\n", request.body.len()).into_bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(&request.body);
    wire.say(bytes).await.hear().await
}
