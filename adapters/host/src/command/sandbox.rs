//! `florin sandbox`: the payment provider to develop and test against, as a process of its own.

use clap::Args;
use florin_kernel::time::Clock;
use florin_sandbox::{Sandbox, SandboxConfig};
use tokio::net::TcpListener;

use crate::deployment::HostError;
use crate::serve::stop_signal;
use crate::sqlite;

/// Serves the sandbox.
#[derive(Debug, Args)]
pub(crate) struct SandboxCommand {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8065")]
    listen: String,
    /// The file of its records.
    #[arg(long, default_value = "florin-data/sandbox.db")]
    file: std::path::PathBuf,
    /// Where browsers reach it; the request's own host when not said.
    #[arg(long)]
    public_url: Option<String>,
}

impl SandboxCommand {
    pub(super) async fn run(self, clock: Clock) -> Result<(), HostError> {
        if let Some(directory) = self.file.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let listener = TcpListener::bind(&self.listen).await?;
        let config = SandboxConfig { public_base: self.public_url, ..SandboxConfig::default() };
        let sandbox = Sandbox::open(&sqlite::address(&self.file), config, clock).await?;
        tracing::info!(server.address = %listener.local_addr()?, "the sandbox serves");
        florin_sandbox::serve(listener, sandbox, stop_signal()?).await?;
        Ok(())
    }
}
