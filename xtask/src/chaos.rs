//! `cargo xtask chaos`: builds the processes and who kills them, brings what they need, and runs.

use std::collections::BTreeSet;
use std::process::Command;

use florin_servers::{Postgres, RabbitMq};

use crate::bring::workspace;
use crate::problem::Problem;
use crate::{apt, command};

/// The set-ups: with no server, with PostgreSQL, and with RabbitMQ besides.
const EMBEDDED: &str = "sqlite-embedded";
const FUNCTIONS: &str = "lambda-sqs";
const CONTAINERS: &str = "postgres-rabbitmq";

const SET_UPS: [&str; 3] = [CONTAINERS, EMBEDDED, FUNCTIONS];

/// Runs with these words of the command line; `false` when something was lost, doubled or stuck.
pub(crate) fn run(words: &[String]) -> Result<bool, Problem> {
    // Said before a build of minutes, and not after it.
    if let Some(unknown) = unknown_set_up(words) {
        return Err(Problem::Failed(format!("there is no set-up `{unknown}`: {} are", SET_UPS.join(", "))));
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).args([
        "build",
        "--profile",
        "chaos",
        "--package",
        "florin-conformance",
        "--bins",
    ]);
    if !command::start(&mut cargo)?.wait()? {
        return Err(Problem::Failed("the processes could not be built (see above)".into()));
    }
    if !is_help(words) {
        install(words)?;
    }
    let target = florin_servers::target_directory();
    let target = target.ok_or_else(|| Problem::Failed("this is no program in a target directory".into()))?;
    let mut chaos = Command::new(target.join("chaos").join("florin-chaos"));
    command::start(chaos.args(words))?.wait()
}

/// What is named behind `--on` and is none.
fn unknown_set_up(words: &[String]) -> Option<&str> {
    let apart = words.windows(2).filter(|pair| pair[0] == "--on").map(|pair| pair[1].as_str());
    let joined = words.iter().filter_map(|word| word.strip_prefix("--on="));
    apart.chain(joined).find(|name| !SET_UPS.contains(name))
}

fn is_help(words: &[String]) -> bool {
    words.iter().any(|word| matches!(word.as_str(), "-h" | "--help"))
}

/// Installs the servers that rounds start and crash themselves.
fn install(words: &[String]) -> Result<(), Problem> {
    let named = |set_up: &str| words.iter().any(|word| word.ends_with(set_up));
    let all = !SET_UPS.into_iter().any(named);
    let mut packages = BTreeSet::new();
    if (all || named(CONTAINERS) || named(FUNCTIONS)) && !Postgres::is_installed() {
        packages.insert("postgresql");
    }
    if (all || named(CONTAINERS)) && !RabbitMq::is_installed() {
        packages.insert("rabbitmq-server");
    }
    if packages.is_empty() { Ok(()) } else { apt::install(&packages) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_up_that_is_none_is_named_before_anything_is_built() {
        let unknown = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            unknown_set_up(&words).map(str::to_owned)
        };
        assert_eq!(unknown("--on postgres --rounds 3"), Some("postgres".to_owned()));
        assert_eq!(unknown("--rounds 3 --on=sqlite"), Some("sqlite".to_owned()));
        assert_eq!(unknown("--on lambda-sqs --seed 7"), None);
        assert_eq!(unknown("--rounds 3"), None);
    }
}
