//! A sandbox on a free port of the loopback, with its store in a scratch directory.

use std::path::Path;
use std::time::Duration;

use florin_kernel::time::{Clock, Timestamp};
use florin_sandbox::{Sandbox, SandboxConfig, serve};
use futures_util::future::join_all;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a test waits for an answer that it expects: far more than it takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A sandbox that is being served.
pub(crate) struct Provider {
    pub(crate) base: String,
    pub(crate) http: Client,
    pub(crate) sandbox: Sandbox,
    pub(crate) stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
    scratch: TempDir,
}

/// An answer that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) replayed: bool,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The status and the error's code.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let body = self.json();
        assert!(body["error"]["message"].is_string(), "{body}");
        (self.status, body["error"]["code"].as_str().unwrap().to_owned())
    }

    /// The charge or refund of a 200.
    pub(crate) fn done(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }
}

impl Provider {
    /// With no credential, and short for those who wait.
    pub(crate) async fn start() -> Self {
        Self::with(SandboxConfig { hold: Duration::ZERO, slow: Duration::ZERO, ..SandboxConfig::default() })
            .await
    }

    pub(crate) async fn with(config: SandboxConfig) -> Self {
        Self::over(tempfile::tempdir().unwrap(), config).await
    }

    async fn over(scratch: TempDir, config: SandboxConfig) -> Self {
        let clock = Clock::standing_at("2026-03-01T09:30:00Z".parse::<Timestamp>().unwrap());
        let sandbox = Sandbox::open(&address(scratch.path()), config, clock).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, sandbox.clone(), stop.clone()));
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .unwrap();
        Self { base, http, sandbox, stop, serving, scratch }
    }

    /// Its store.
    pub(crate) fn address(&self) -> String {
        address(self.scratch.path())
    }

    /// Stops, and waits until it has.
    pub(crate) async fn stop(self) -> TempDir {
        self.stop.cancel();
        self.serving.await.unwrap().unwrap();
        self.scratch
    }

    /// Stops, and starts anew over the same store.
    pub(crate) async fn restart(self) -> Self {
        let scratch = self.stop().await;
        Self::over(scratch, SandboxConfig::default()).await
    }

    pub(crate) fn post(&self, path: &str, key: &str, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.base)).header("Idempotency-Key", key).json(body)
    }

    pub(crate) async fn send(&self, path: &str, key: &str, body: Value) -> Answer {
        read(self.post(path, key, &body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        read(self.http.get(format!("{}{path}", self.base))).await
    }

    /// A charge of 1000 cents under a key, which is its reference too.
    pub(crate) async fn charge(&self, key: &str, payment_method: &str, capture: bool) -> Answer {
        self.send("/v1/charges", key, a_charge(key, payment_method, capture)).await
    }

    /// The identifier of a fresh charge of 1000 cents on a card that works.
    pub(crate) async fn charged(&self, key: &str, capture: bool) -> String {
        let charge = self.charge(key, "pm_card_visa", capture).await.done();
        charge["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn state(&self, id: &str) -> Value {
        self.get(&format!("/v1/charges/{id}")).await.done()
    }

    pub(crate) async fn records(&self, reference: &str) -> Value {
        self.get(&format!("/v1/records?reference={reference}")).await.done()
    }

    /// Comes back when the records count one. No sleep: each turn is a whole exchange with the server.
    pub(crate) async fn until_recorded(&self, reference: &str, what: &str) {
        let recorded = async { while self.records(reference).await[what] == 0 {} };
        timeout(PATIENCE, recorded).await.unwrap();
    }

    /// The same request body under many keys at once.
    pub(crate) async fn parallel(&self, path: &str, keys: Vec<String>, body: &Value) -> Vec<Answer> {
        join_all(keys.iter().map(|key| self.send(path, key, body.clone()))).await
    }
}

/// The store of a directory.
pub(crate) fn address(directory: &Path) -> String {
    format!("sqlite://{}", directory.join("sandbox.db").display())
}

pub(crate) fn a_charge(reference: &str, payment_method: &str, capture: bool) -> Value {
    json!({
        "amount": 1000,
        "currency": "EUR",
        "payment_method": payment_method,
        "capture": capture,
        "reference": reference,
    })
}

/// Whether the connection was closed without an answer; giving up on it does not count.
pub(crate) fn cut(outcome: &reqwest::Result<Response>) -> bool {
    outcome.as_ref().is_err_and(|error| !error.is_timeout() && !error.is_connect())
}

/// Sends, and reads the whole answer.
pub(crate) async fn read(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        replayed: response.headers().get("idempotency-replayed").is_some_and(|value| value == "true"),
        text: response.text().await.unwrap(),
    }
}

/// `prefix-0`, `prefix-1` ...
pub(crate) fn numbered(prefix: &str, many: usize) -> Vec<String> {
    (0..many).map(|n| format!("{prefix}-{n}")).collect()
}

/// How many answers have this status.
pub(crate) fn with_status(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}
