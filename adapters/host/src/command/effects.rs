//! `florin effects`: calls to peers that are not done, and those that need a person.

use clap::{Args, Subcommand};
use florin_kernel::rows::effects;
use florin_kernel::time::Clock;

use super::dead_letters::joined;
use super::print_json;
use crate::config::Config;
use crate::deployment::HostError;

/// Calls to peers that are not done.
#[derive(Debug, Args)]
pub(crate) struct Effects {
    /// The data directory [./florin-data].
    #[arg(long, global = true)]
    data: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Lists them, the oldest first, as a line of JSON each.
    List {
        /// The most of each service.
        #[arg(long, default_value_t = 100)]
        most: i64,
    },
    /// Wants one again, from now and with a whole life before it.
    Retry {
        /// Its identifier.
        id: String,
    },
}

impl Effects {
    pub(super) async fn run(self, config: Config, clock: Clock) -> Result<(), HostError> {
        let services = joined(config.with("data", self.data), clock).await?;
        match self.verb {
            Verb::List { most } => {
                for service in services {
                    for effect in effects::list(&service, most).await? {
                        print_json(&effect)?;
                    }
                }
                Ok(())
            }
            Verb::Retry { id } => {
                for service in services {
                    if effects::retry(&service, &id).await? {
                        eprintln!("{id} is wanted again");
                        return Ok(());
                    }
                }
                Err(HostError(format!("there is no open effect {id}")))
            }
        }
    }
}
