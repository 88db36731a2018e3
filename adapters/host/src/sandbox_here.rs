//! The sandbox in this process: a peer with a socket of its own, so that a drain of the front does not take the provider
//! away from the effects that are still in flight.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use florin_kernel::time::Clock;
use florin_sandbox::{Sandbox, SandboxConfig};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::deployment::HostError;
use crate::sqlite;

/// A provider that serves on a free loopback port until it is closed.
pub struct SandboxHere {
    sandbox: Sandbox,
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

impl SandboxHere {
    /// Opens its records in the data directory. Browsers reach it below the front's public address.
    pub(crate) async fn open(config: &Config, public: &str, clock: &Clock) -> Result<Self, HostError> {
        let data = config.data();
        std::fs::create_dir_all(&data)?;
        let settings =
            SandboxConfig { public_base: Some(format!("{public}/sandbox")), ..SandboxConfig::default() };
        let url = sqlite::address(&data.join("sandbox.db"));
        let sandbox = Sandbox::open(&url, settings, clock.clone()).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let serving = tokio::spawn(florin_sandbox::serve(listener, sandbox.clone(), stop.clone()));
        Ok(Self { sandbox, address, stop, serving })
    }

    /// Where our own effects reach it.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its routes, for browsers and for whoever looks at its records.
    pub(crate) fn router(&self) -> Router {
        self.sandbox.router()
    }

    /// Lets go of what it holds back on purpose: a drain does not wait for a slow card.
    pub(crate) fn release(&self) {
        self.sandbox.release();
    }

    /// Ends it, when nobody can want it any more.
    pub(crate) async fn close(self, patience: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(patience, self.serving).await.is_err() {
            tracing::warn!("the sandbox was still answering when the process ended");
        }
    }
}
