//! `florin outbox`: what is committed and not yet published, by service.

use clap::Args;
use florin_kernel::rows::outbox;
use florin_kernel::time::Clock;

use super::dead_letters::joined;
use crate::config::Config;
use crate::deployment::HostError;

/// Shows how many events wait to be published, and since when.
#[derive(Debug, Args)]
pub(crate) struct Outbox {
    /// The data directory [./florin-data].
    #[arg(long)]
    data: Option<String>,
}

impl Outbox {
    #[expect(clippy::print_stdout, reason = "the list is the command's output")]
    pub(super) async fn run(self, config: Config, clock: Clock) -> Result<(), HostError> {
        for service in joined(config.with("data", self.data), clock).await? {
            let (waiting, oldest) = outbox::backlog(&service).await?;
            let since = oldest.map_or_else(String::new, |oldest| format!("  the oldest since {oldest}"));
            println!("{:<12} {waiting:>8} waiting{since}", service.name());
        }
        Ok(())
    }
}
