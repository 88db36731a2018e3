//! A client that says exactly the bytes it is told to, and understands what comes back.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything here takes; what is not there by then will never come.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub(crate) struct Wire {
    stream: TcpStream,
    read: VecDeque<u8>,
}

/// One answer.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) body: Value,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, String::from_utf8_lossy(&self.bytes))
    }
}

impl Answer {
    /// A header field that stands once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let first = all.next();
        assert!(all.next().is_none(), "{name} stands twice in {self:?}");
        first
    }

    /// The status and the problem's code.
    pub(crate) fn no(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }
}

impl Wire {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: VecDeque::new() }
    }

    /// Writes; that the other side has closed meanwhile is not this call's business.
    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let _ = self.stream.write_all(bytes.as_ref()).await;
        self
    }

    /// Closes the writing half.
    pub(crate) async fn half_close(&mut self) -> &mut Self {
        self.stream.shutdown().await.unwrap();
        self
    }

    /// The next answer, or none when the connection ends first.
    pub(crate) async fn hear(&mut self) -> Option<Answer> {
        tokio::time::timeout(PATIENCE, self.answer(true)).await.expect("an answer or the end")
    }

    /// The next answer, which has no body whatever its length says: it is for a HEAD.
    pub(crate) async fn hear_head(&mut self) -> Option<Answer> {
        tokio::time::timeout(PATIENCE, self.answer(false)).await.expect("an answer or the end")
    }

    /// Asserts that the other side closes without another byte.
    pub(crate) async fn ends(&mut self) {
        let more = tokio::time::timeout(PATIENCE, self.more()).await.expect("the end");
        assert!(!more && self.read.is_empty(), "{:?} came in place of the end", self.read);
    }

    /// Everything until the end.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        tokio::time::timeout(PATIENCE, async { while self.more().await {} }).await.expect("the end");
        self.read.drain(..).collect()
    }

    /// The next bytes, exactly so many; none when the end comes first.
    pub(crate) async fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.read.len() < count {
            let more = tokio::time::timeout(PATIENCE, self.more()).await.expect("bytes or the end");
            if !more {
                return None;
            }
        }
        Some(self.read.drain(..count).collect())
    }

    async fn more(&mut self) -> bool {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk).await {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.read.extend(&chunk[..count]);
                true
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Some(String::from_utf8(line).unwrap().trim_end().to_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    async fn answer(&mut self, with_body: bool) -> Option<Answer> {
        let first = self.line().await?;
        let status = first.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, value)| value.parse().unwrap());
        let bytes = self.take(if with_body { length } else { 0 }).await?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Some(Answer { status, headers, bytes, body })
    }
}
