//! `cargo xtask chaos`: builds the processes and who kills them, brings what they need, and runs.

use std::collections::BTreeSet;
use std::process::Command;

use florin_servers::{Part, Postgres, RabbitMq};

use crate::bring::{Brought, bring, workspace};
use crate::problem::Problem;
use crate::require::Require;
use crate::{apt, command};

/// The set-up that needs neither RabbitMQ nor SQS, and no PostgreSQL.
const EMBEDDED: &str = "sqlite-embedded";
const FUNCTIONS: &str = "lambda-sqs";
const CONTAINERS: &str = "postgres-rabbitmq";

/// Runs with these words of the command line; `false` when something was lost, doubled or stuck.
pub(crate) fn run(words: &[String]) -> Result<bool, Problem> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).args(["build", "--profile", "chaos", "--package", "florin-conformance", "--bins"]);
    if !command::start(&mut cargo)?.wait()? {
        return Err(Problem::Failed("the processes could not be built (see above)".into()));
    }
    let brought = if is_help(words) { Brought::default() } else { needed(words)? };
    let target = florin_servers::target_directory();
    let target = target.ok_or_else(|| Problem::Failed("this is no program in a target directory".into()))?;
    let mut chaos = Command::new(target.join("chaos").join("florin-chaos"));
    chaos.args(words).envs(brought.variables());
    command::start(&mut chaos)?.wait()
}

fn is_help(words: &[String]) -> bool {
    words.iter().any(|word| matches!(word.as_str(), "-h" | "--help"))
}

/// Installs the servers that rounds start and crash themselves, and starts the one they only use.
fn needed(words: &[String]) -> Result<Brought, Problem> {
    let named = |set_up: &str| words.iter().any(|word| word.ends_with(set_up));
    let all = ![EMBEDDED, FUNCTIONS, CONTAINERS].into_iter().any(named);
    let mut packages = BTreeSet::new();
    if (all || named(CONTAINERS) || named(FUNCTIONS)) && !Postgres::is_installed() {
        packages.insert("postgresql");
    }
    if (all || named(CONTAINERS)) && !RabbitMq::is_installed() {
        packages.insert("rabbitmq-server");
    }
    if !packages.is_empty() {
        apt::install(&packages)?;
    }
    let parts: &[Part] = if all || named(FUNCTIONS) { &[Part::Sqs] } else { &[] };
    bring(parts, &Require::Everything)
}
