//! What may become part of Florin, as deny.toml says it.

use std::process::Command;

use super::{programs, skipped_where_missing};
use crate::bring::workspace;
use crate::infra::check::{Outcome, output};
use crate::problem::Problem;

pub(super) fn allowed() -> Result<Outcome, Problem> {
    skipped_where_missing(deny(&["bans", "licenses", "sources"]))
}

/// The database of advisories is a repository: where it is not reached, nobody says that there are none.
pub(super) fn advised() -> Result<Outcome, Problem> {
    match deny(&["advisories"]) {
        Err(Problem::Failed(words)) if words.contains("failed to fetch advisory database") => {
            Ok(Outcome::Skipped("the database of advisories is not reached".to_owned()))
        }
        answer => skipped_where_missing(answer),
    }
}

/// Of the workspace: what lies beside it with a lock file of its own is shipped to nobody (`fuzz`, `adapters/shuttle`).
fn deny(which: &[&str]) -> Result<String, Problem> {
    let mut deny = Command::new(programs::bring()?.join("cargo-deny"));
    deny.current_dir(workspace()).args(["--color", "never", "--locked", "--config", "deny.toml", "check"]);
    output(deny.args(which))?;
    Ok(which.join(", "))
}
