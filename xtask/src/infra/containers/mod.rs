//! `cargo xtask infra containers`: the compose file is right, the proxy lets through what the catalog says, and the image is
//! small, static and serves.

mod image;
mod proxy;

use std::fs;
use std::process::Command;

use super::check::{Check, Outcome, Target, florin, infra, output};
use crate::command;
use crate::problem::Problem;
use crate::tools;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "containers",
    checks: &[
        Check { name: "what is deployed is what the code says", slow: false, run: verify },
        Check { name: "the compose file is valid", slow: false, run: compose },
        Check { name: "the proxy lets through what the catalog says", slow: true, run: proxy::run },
        Check { name: "an image of the suite, and of each service", slow: true, run: image::run },
    ],
};

/// The strict reader of compose files.
const COMPOSE: &str = "compose-spec==0.2.1";

fn verify() -> Result<Outcome, Problem> {
    Ok(Outcome::Passed(florin(&["catalog", "verify"])?.trim().to_owned()))
}

fn compose() -> Result<Outcome, Problem> {
    let python = match tools::python() {
        Ok(python) => python,
        Err(Problem::Missing(why)) => return Ok(Outcome::Skipped(why)),
        Err(problem) => return Err(problem),
    };
    let library = tools::installed("compose-spec", COMPOSE, |directory| {
        fs::create_dir_all(directory)?;
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]);
        command::run(install.arg(directory).arg(COMPOSE))
    })?;
    let containers = infra().join("containers");
    let mut reader = Command::new(&python);
    reader.env("PYTHONPATH", library).arg(containers.join("compose.py")).arg(containers.join("compose.yaml"));
    Ok(Outcome::Passed(output(&mut reader)?.trim().to_owned()))
}
