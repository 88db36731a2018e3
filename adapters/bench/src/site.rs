//! A deployment of payments on PostgreSQL, as a process of its own, with a provider that answers at once.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use axum::routing::post;
use axum::{Json, Router};
use florin_http::token::DevelopmentKey;
use florin_servers::free_port;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::error::{Outcome, Trouble};
use crate::process::{Running, Start, program};
use crate::servers::Place;

/// The tenant of every payment here.
pub const TENANT: &str = "bench";

/// The card provider, "elsewhere": it keeps nothing and answers at once, so that what it costs is not counted.
pub struct Provider {
    address: SocketAddr,
    serving: AbortHandle,
}

impl Provider {
    /// Starts one in this process.
    pub async fn start() -> Outcome<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new().route("/v1/charges", post(charge));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Ok(Self { address, serving })
    }

    /// Its base address.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn charge(Json(asked): Json<Value>) -> Json<Value> {
    let payment = asked["reference"].as_str().and_then(|payment| payment.split_once('_'));
    let id = payment.map_or_else(String::new, |(_, unique)| format!("ch_{unique}"));
    Json(json!({ "id": id, "status": "succeeded", "amount": asked["amount"], "currency": asked["currency"] }))
}

/// A directory with a development key, and what a process of this deployment is told.
pub struct Site {
    directory: PathBuf,
    environment: Vec<(String, String)>,
}

impl Site {
    /// Payments in this database, charging at this provider.
    pub fn new(directory: PathBuf, place: &Place, provider: &Provider, queue: &str) -> Self {
        let data = directory.join("data").display().to_string();
        let environment = [
            ("FLORIN_DATA", data.as_str()),
            ("FLORIN_DATABASE_URL", &place.login),
            ("FLORIN_DATABASE_CONNECTIONS", "8"),
            ("FLORIN_CARD_URL", &provider.base()),
            ("FLORIN_PUBLIC_URL", "http://localhost"),
            ("FLORIN_FUNCTIONS", "payments.*"),
            ("FLORIN_QUEUE_URL", queue),
            ("FLORIN_LOG", "warn"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        Self { directory, environment }
    }

    /// What its processes are told.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment.clone()
    }

    /// Where its processes run.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A token with every scope.
    pub fn token(&self) -> Outcome<String> {
        let printed = std::process::Command::new(program("florin-bench-suite")?)
            .args(["token", "--tenant", TENANT, "--subject", "load"])
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()?;
        if !printed.status.success() {
            return Err(Trouble::failed(String::from_utf8_lossy(&printed.stderr).into_owned()));
        }
        Ok(String::from_utf8(printed.stdout)?.trim_end().to_owned())
    }

    /// The key that its tokens are signed with.
    pub fn development_key(&self) -> Outcome<DevelopmentKey> {
        let path = self.directory.join("data/development-key.json");
        Ok(DevelopmentKey::load_or_create(&path)?)
    }

    /// A process that serves HTTP, ready, and its port.
    pub async fn serve(&self) -> Outcome<(Running, u16)> {
        let port = free_port();
        let mut start = Start::with(&["serve"]).env("FLORIN_LISTEN", format!("127.0.0.1:{port}"));
        start.environment.extend(self.environment());
        let mut running = Running::start("florin-bench-suite", &start, &self.directory)?;
        running.answers(port, "/readyz").await?;
        Ok((running, port))
    }
}

/// A request as it stands on the wire.
pub fn request(method: &str, path: &str, token: &str, key: Option<&str>, body: &str) -> Vec<u8> {
    let key = key.map_or_else(String::new, |key| format!("idempotency-key: {key}\r\n"));
    let about_body = match body.len() {
        0 => String::new(),
        length => format!("content-type: application/json\r\ncontent-length: {length}\r\n"),
    };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n{key}{about_body}\r\n{body}"
    )
    .into_bytes()
}
