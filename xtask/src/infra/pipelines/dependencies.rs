//! What may become part of Florin, as deny.toml says it.

use std::process::Command;

use super::{programs, skipped_where_missing};
use crate::bring::workspace;
use crate::infra::check::{Outcome, output};
use crate::problem::Problem;

/// What may be shipped, and what it is held to. The runtime of a platform that is no more brings a crate that is banned; the
/// fuzz targets are shipped to nobody.
const SHIPPED: &[(&str, &[&str])] = &[
    ("Cargo.toml", &["bans", "licenses", "sources"]),
    ("adapters/shuttle/Cargo.toml", &["licenses", "sources"]),
];

pub(super) fn allowed() -> Result<Outcome, Problem> {
    skipped_where_missing(all_shipped())
}

/// The database of advisories is a repository: where it is not reached, nobody says that there are none.
pub(super) fn advised() -> Result<Outcome, Problem> {
    match deny("Cargo.toml", &["advisories"]) {
        Err(Problem::Failed(words)) if words.contains("failed to fetch advisory database") => {
            Ok(Outcome::Skipped("the database of advisories is not reached".to_owned()))
        }
        answer => skipped_where_missing(answer),
    }
}

fn all_shipped() -> Result<String, Problem> {
    for (manifest, which) in SHIPPED {
        deny(manifest, which)?;
    }
    Ok(SHIPPED.iter().map(|(manifest, _)| *manifest).collect::<Vec<_>>().join(", "))
}

fn deny(manifest: &str, which: &[&str]) -> Result<String, Problem> {
    let mut deny = Command::new(programs::bring()?.join("cargo-deny"));
    deny.current_dir(workspace()).args(["--color", "never", "--locked", "--config", "deny.toml"]);
    // Another workspace need not have every licence that is allowed.
    deny.args(["--manifest-path", manifest, "check", "--allow", "license-not-encountered"]).args(which);
    output(&mut deny)
}
