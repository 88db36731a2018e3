//! The front on a free port of the loopback address, as a process would serve it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use florin_http::app::{App, Limits};
use florin_http::router::router;
use florin_http::server::{self, Drain, Sockets};
use florin_http::token::{DevelopmentKey, Verifier};
use florin_kernel::service::Settings;
use florin_testkit::porch::PORCH;
use florin_testkit::suite::{Engine, Suite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::shelf::SHELF;
use crate::wire::{Answer, Wire};

/// A front that serves.
pub(crate) struct Front {
    pub(crate) address: SocketAddr,
    pub(crate) app: Arc<App>,
    pub(crate) suite: Suite,
    pub(crate) stop: CancellationToken,
    pub(crate) served: JoinHandle<()>,
}

/// How a test wants its front.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) limits: Limits,
    pub(crate) sockets: Sockets,
    pub(crate) linger: Duration,
    pub(crate) patience: Option<Duration>,
}

/// A front with the usual limits.
pub(crate) async fn start() -> Front {
    start_with(Wanted::default()).await
}

/// A front as a test wants it.
pub(crate) async fn start_with(wanted: Wanted) -> Front {
    let suite = Suite::start(Engine::Sqlite, &[&SHELF, &PORCH], &Settings::default()).await.unwrap();
    let key = DevelopmentKey::load_or_create(&key_of(suite.directory())).unwrap();
    let verifier = Verifier::new(key.rules()).unwrap();
    let app = App::new(suite.services.clone(), verifier, wanted.limits);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let patience = wanted.patience.unwrap_or(Duration::from_secs(10));
    let drain = Drain { stop: stop.clone(), linger: wanted.linger, patience };
    let served = tokio::spawn(server::serve_within(listener, router(&app), drain, wanted.sockets));
    Front { address, app, suite, stop, served }
}

/// Where the suite keeps its key.
fn key_of(directory: &Path) -> std::path::PathBuf {
    directory.join("key.json")
}

impl Front {
    /// A connection.
    pub(crate) async fn wire(&self) -> Wire {
        Wire::to(self.address).await
    }

    /// `Authorization: Bearer ...` of somebody who may do everything here.
    pub(crate) fn bearer(&self) -> String {
        let anna = self.suite.client("anna");
        format!("authorization: Bearer {}", anna.token().unwrap())
    }

    /// The head of a request with these lines, without the empty line at its end.
    pub(crate) fn head(&self, first: &str, lines: &[&str]) -> String {
        let mut head = format!("{first} HTTP/1.1\r\nhost: florin.test\r\n{}\r\n", self.bearer());
        for line in lines {
            head.push_str(line);
            head.push_str("\r\n");
        }
        head
    }

    /// One request without a body on a connection of its own.
    pub(crate) async fn ask(&self, first: &str, lines: &[&str]) -> Answer {
        let mut wire = self.wire().await;
        wire.say(format!("{}\r\n", self.head(first, lines))).await;
        let answer = if first.starts_with("HEAD ") { wire.hear_head().await } else { wire.hear().await };
        answer.unwrap_or_else(|| panic!("no answer to {first}"))
    }

    /// POST of these bytes as JSON on a connection of its own.
    pub(crate) async fn put(&self, body: impl AsRef<[u8]>, lines: &[&str]) -> Answer {
        let body = body.as_ref();
        let mut wire = self.wire().await;
        let head = self.head("POST /v1/books", lines);
        let length = body.len();
        wire.say(format!("{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n")).await;
        wire.say(body).await;
        wire.hear().await.unwrap_or_else(|| panic!("no answer to {}", String::from_utf8_lossy(body)))
    }

    /// Asserts that the process still serves others.
    pub(crate) async fn lives(&self) {
        assert_eq!(self.ask("GET /livez", &[]).await.status, 200);
    }
}
