//! `florin effects`: calls to peers that are not done, and those that need a person.

use clap::{Args, Subcommand};
use florin_kernel::rows::effects::{self, EffectRow, Remembered, Retried, Twice};
use florin_kernel::time::Clock;
use serde::Serialize;

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
    /// Lists them, the oldest first, as a line of JSON each; `may_happen_twice` names the peer and the key where it has to
    /// be looked before a retry.
    List {
        /// The most of each service.
        #[arg(long, default_value_t = 100)]
        most: i64,
    },
    /// Wants one again, from now. Not when its peer may take it for a new request.
    Retry {
        /// Its identifier.
        id: String,
        /// Sends it although it may happen twice, for whoever has looked at the peer.
        #[arg(long)]
        may_happen_twice: bool,
    },
}

/// An effect as `list` shows it.
#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    effect: &'a EffectRow,
    /// Where to look before it is wanted again; null where nothing can happen twice.
    may_happen_twice: Option<Remembered>,
}

/// Why an effect is not wanted again, and what to do.
fn refusal(id: &str, of: &Remembered) -> HostError {
    let peer = of.peer.map_or_else(|| "its peer".to_owned(), |peer| format!("the {peer} provider"));
    let key = of.key.as_deref().map_or_else(String::new, |key| format!("the key {key} and "));
    HostError(format!(
        "{id} is not sent again: {peer} may not know it any more and do it a second time. Look there under {key}the \
         reference {}, and say --may-happen-twice when it has nothing of it, or surely knows the key still",
        of.subject
    ))
}

impl Effects {
    pub(super) async fn run(self, config: Config, clock: Clock) -> Result<(), HostError> {
        let services = joined(config.with("data", self.data), clock).await?;
        match self.verb {
            Verb::List { most } => {
                for service in services {
                    for effect in effects::list(&service, most).await? {
                        let may_happen_twice = effects::may_happen_twice(&service, &effect);
                        print_json(&Listed { effect: &effect, may_happen_twice })?;
                    }
                }
                Ok(())
            }
            Verb::Retry { id, may_happen_twice } => {
                let twice = if may_happen_twice { Twice::MayHappen } else { Twice::Never };
                for service in services {
                    match effects::retry(&service, &id, twice).await? {
                        Retried::NotOpen => {}
                        Retried::Wanted => {
                            eprintln!("{id} is wanted again");
                            return Ok(());
                        }
                        Retried::MayHappenTwice(remembered) => return Err(refusal(&id, &remembered)),
                    }
                }
                Err(HostError(format!("there is no open effect {id}")))
            }
        }
    }
}
