//! The sandbox as a process of its own, so that its charges outlive the `florin` that asked for them.

use std::path::Path;

use florin_servers::free_port;
use serde_json::Value;

use crate::client::Client;
use crate::server::Server;

/// The provider.
pub struct SandboxProcess {
    server: Server,
}

impl SandboxProcess {
    /// Starts it in this directory.
    pub async fn start(directory: &Path) -> Self {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let arguments = ["sandbox", "--listen", &listen, "--file", "sandbox.db"];
        let server = Server::spawn_command("sandbox", port, &arguments, Vec::new(), directory);
        Self { server: server.answers("/v1/records/summary").await }
    }

    /// Its base address.
    pub fn base(&self) -> &str {
        self.server.base()
    }

    /// What it did for one payment.
    pub async fn records_of(&self, payment: &str) -> Value {
        let client = Client::new(self.base(), None);
        client.get(&format!("/v1/records?reference={payment}")).await.expect(200).body
    }

    /// What it did altogether.
    pub async fn summary(&self) -> Value {
        Client::new(self.base(), None).get("/v1/records/summary").await.expect(200).body
    }

    /// Has to have charged a payment once.
    ///
    /// # Panics
    /// When it did not, or did more often.
    pub async fn assert_charged_once(&self, payment: &str) {
        let records = self.records_of(payment).await;
        assert_eq!(records["charges"], 1, "{records}");
        assert_eq!(records["captures"], 1, "{records}");
    }
}
