//! `florin effects`: calls to peers that are not done, and those that need a person.

use clap::Subcommand;
use florin_kernel::rows::effects;
use florin_kernel::time::Clock;

use super::dead_letters::joined;
use crate::config::Config;
use crate::deployment::HostError;

/// Calls to peers that are not done.
#[derive(Debug, Subcommand)]
pub(crate) enum Effects {
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
    #[expect(clippy::print_stdout, reason = "the list is the command's output")]
    pub(super) async fn run(self, config: Config, clock: Clock) -> Result<(), HostError> {
        let services = joined(config, clock).await?;
        match self {
            Self::List { most } => {
                for service in services {
                    for effect in effects::list(&service, most).await? {
                        println!("{}", serde_json::to_string(&effect)?);
                    }
                }
                Ok(())
            }
            Self::Retry { id } => {
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
