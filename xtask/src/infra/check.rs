//! A check of a target, and how its programs are run.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::bring::workspace;
use crate::command;
use crate::problem::Problem;

/// One thing that is proven.
pub(crate) struct Target {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// In the order they are made.
    pub(crate) checks: &'static [Check],
}

/// One check.
pub(crate) struct Check {
    /// What it proves, in a few words.
    pub(crate) name: &'static str,
    /// Whether it takes more than seconds: then `cargo xtask test` leaves it out.
    pub(crate) slow: bool,
    /// An error is what is wrong; what cannot be had here is no error.
    pub(crate) run: fn() -> Result<Outcome, Problem>,
}

/// What every target begins with: where what lies under infra/ differs from the code, nothing else is worth a look.
pub(crate) const DECLARED: Check =
    Check { name: "what is deployed is what the code says", slow: false, run: declared };

fn declared() -> Result<Outcome, Problem> {
    Ok(Outcome::Passed(florin(&["catalog", "verify"])?.trim().to_owned()))
}

/// How a check ended that did not fail.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It passed, with what is worth saying about it.
    Passed(String),
    /// It cannot be made here, and why.
    Skipped(String),
}

/// The directory infra/ of this checkout.
pub(crate) fn infra() -> PathBuf {
    workspace().join("infra")
}

/// What a program writes to its standard output; when it fails, all of its words are the problem.
pub(crate) fn output(program: &mut Command) -> Result<String, Problem> {
    let mut group = command::start(program.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let (output, error) = group.read()?;
    if group.wait()? {
        return Ok(output);
    }
    Err(Problem::Failed(command::last_words(program, &output, &error)))
}

/// The words of `florin ...`, built from this checkout.
fn florin(arguments: &[&str]) -> Result<String, Problem> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).args(["run", "--quiet", "-p", "florin-host", "--bin", "florin", "--"]);
    output(cargo.args(arguments))
}

/// The program `florin`, built from this checkout.
pub(crate) fn florin_program() -> Result<PathBuf, Problem> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command::run(cargo.current_dir(workspace()).args([
        "build",
        "--quiet",
        "-p",
        "florin-host",
        "--bin",
        "florin",
    ]))?;
    let target = florin_servers::target_directory().unwrap_or_else(|| workspace().join("target"));
    Ok(target.join("debug/florin"))
}
