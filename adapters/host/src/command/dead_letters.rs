//! `florin dead-letters`: deliveries that cannot succeed, on every platform in the consumer's own database.

use std::path::Path;
use std::sync::Arc;

use clap::{Args, Subcommand};
use florin_kernel::corridor::Disposition;
use florin_kernel::rows::dead_letters;
use florin_kernel::service::Service;
use florin_kernel::time::Clock;
use florin_queue::embedded::FILE;

use super::{print, print_json};
use crate::card;
use crate::config::Config;
use crate::deployment::{HostError, network, service};
use crate::functions::chosen;
use crate::queue::{Broker, subscriptions};
use crate::schema;
use crate::sqlite;

/// Deliveries that cannot succeed.
#[derive(Debug, Args)]
pub(crate) struct DeadLetters {
    /// The data directory [./florin-data].
    #[arg(long, global = true)]
    data: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Lists them, the oldest first, as a line of JSON each; and what the broker itself set aside.
    List {
        /// The most of each service.
        #[arg(long, default_value_t = 100)]
        most: i64,
    },
    /// Shows one with its event.
    Show {
        /// Its identifier.
        id: String,
    },
    /// Tries one again, by the ordinary path.
    Replay {
        /// Its identifier, or `all`.
        id: String,
    },
    /// Forgets one.
    Drop {
        /// Its identifier.
        id: String,
    },
}

/// The services as a command joins them: beside the process that serves, or after it. It makes no database: one that is
/// empty because its directory was mistyped would look like one in which nothing waits. A service that nobody serves
/// from this directory is left out, aloud; where there is none at all, the directory is wrong.
pub(super) async fn joined(config: Config, clock: Clock) -> Result<Vec<Arc<Service>>, HostError> {
    let (mut here, mut missing) = (Vec::new(), Vec::new());
    for definition in chosen(&config)? {
        let file = sqlite::file(&config.database_url(definition.name));
        match file.map_or(Ok(()), |file| is_there(&file, definition.name)) {
            Ok(()) => here.push(definition),
            Err(error) => missing.push(error),
        }
    }
    if here.is_empty() && !missing.is_empty() {
        return Err(missing.swap_remove(0));
    }
    for error in missing {
        eprintln!("florin: left out: {error}");
    }
    let address = config.get("public_url").map(|url| url.trim_end_matches('/').to_owned());
    let network = network(&config, card::address(&config), address.clone().unwrap_or_default(), false)?;
    let mut services = Vec::new();
    for definition in here {
        let service = service(definition, &config, &clock, &network, address.as_deref(), false).await?;
        if !config.is_embedded(definition.name) && !schema::fits(&service).await? {
            return Err(HostError(format!("{}: the database is away", definition.name)));
        }
        services.push(service);
    }
    Ok(services)
}

/// Whether the file of what a suite keeps here is there.
fn is_there(file: &Path, of: &str) -> Result<(), HostError> {
    if file.is_file() {
        return Ok(());
    }
    let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let name = file.file_name().unwrap_or_default().display();
    Err(HostError(format!(
        "no suite has served {of} in {}: there is no {name} (--data and FLORIN_DATA say where its data is)",
        directory.display(),
    )))
}

impl DeadLetters {
    pub(super) async fn run(self, config: Config, clock: Clock) -> Result<(), HostError> {
        let named = self.data.is_some();
        let config = config.with("data", self.data);
        let services = joined(config.clone(), clock.clone()).await?;
        match self.verb {
            Verb::List { most } => {
                let queue = match is_there(&config.data().join(FILE), "the queue") {
                    _ if !config.queue_is_embedded() => Ok(()),
                    Err(error) if named => return Err(error),
                    looked => looked,
                };
                for service in &services {
                    for letter in dead_letters::list(service, most).await? {
                        print_json(&letter)?;
                    }
                }
                if let Err(error) = queue {
                    // Another broker may carry the events, as on Knative, and its address is not said here.
                    eprintln!("what a broker set aside is not shown: {error}");
                    return Ok(());
                }
                let broker = Broker::open(&config, clock, None).await?;
                if let Some(subscriber) = broker.subscriber {
                    let most = usize::try_from(most).unwrap_or(0);
                    for aside in subscriber.set_aside(&subscriptions(config.services()), most).await? {
                        print_json(&serde_json::json!({
                            "set_aside_by_broker": aside.function,
                            "why": aside.why,
                            "message": aside.message,
                        }))?;
                    }
                }
                Ok(())
            }
            Verb::Show { id } => {
                let (_, letter) = find(&services, &id).await?;
                print(&format!("{}\n", serde_json::to_string_pretty(&letter)?))
            }
            Verb::Replay { id } if id == "all" => {
                let mut failed = 0;
                for service in &services {
                    for letter in dead_letters::list(service, MOST_AT_ONCE).await? {
                        let succeeded = say(&letter.id, &dead_letters::replay(service, &letter).await?);
                        failed += u32::from(!succeeded);
                    }
                }
                if failed == 0 { Ok(()) } else { Err(HostError(format!("{failed} failed again"))) }
            }
            Verb::Replay { id } => {
                let (service, letter) = find(&services, &id).await?;
                if say(&id, &dead_letters::replay(service, &letter).await?) {
                    Ok(())
                } else {
                    Err(HostError(format!("{id} is still a dead letter")))
                }
            }
            Verb::Drop { id } => {
                let (service, _) = find(&services, &id).await?;
                dead_letters::drop_one(service, &id).await?;
                eprintln!("{id} is dropped");
                Ok(())
            }
        }
    }
}

async fn find<'a>(
    services: &'a [Arc<Service>],
    id: &str,
) -> Result<(&'a Arc<Service>, dead_letters::DeadLetter), HostError> {
    for service in services {
        if let Some(letter) = dead_letters::show(service, id).await? {
            return Ok((service, letter));
        }
    }
    Err(HostError(format!("there is no dead letter {id}")))
}

/// The most dead letters of each service that one command replays.
const MOST_AT_ONCE: i64 = 10_000;

/// Says what a replay came to, and whether it succeeded.
fn say(id: &str, disposition: &Disposition) -> bool {
    match disposition {
        Disposition::Done => eprintln!("{id} succeeded"),
        Disposition::Duplicate => eprintln!("{id} was done before"),
        Disposition::Retry { after } => eprintln!("{id} failed again; try it after {} s", after.as_secs()),
        Disposition::Permanent { code } => eprintln!("{id} failed again: {code}"),
        Disposition::NotAttempted => eprintln!("{id} was not tried: the database is away"),
    }
    matches!(disposition, Disposition::Done | Disposition::Duplicate)
}
