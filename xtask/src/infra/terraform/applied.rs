//! Applied to an emulator of AWS: planned, made, looked at, used, planned again and taken away.

use std::fs;
use std::path::Path;
use std::process::Command;

use florin_servers::{AwsServer, Part, Postgres};

use super::copy::{self, Copy};
use crate::bring::workspace;
use crate::infra::check::{Outcome, infra, output};
use crate::problem::Problem;
use crate::{command, report, tools};

/// What is applied.
const ROOT: &str = "terraform/aws-serverless/examples/complete";
const MODULE: &str = "terraform/aws-serverless";

/// The program in the package is a stand-in: the functions' code runs under the Runtime API of the tests, which give it
/// what was applied.
const PACKAGE: &str = "import sys, zipfile\n\
    with zipfile.ZipFile(sys.argv[1], 'w') as package:\n\
    \x20   entry = zipfile.ZipInfo('bootstrap')\n\
    \x20   entry.external_attr = 0o755 << 16\n\
    \x20   package.writestr(entry, '#!/bin/sh\\n')\n";

/// The check.
pub(super) fn run() -> Result<Outcome, Problem> {
    let Some(mut copy) = Copy::make("applied")? else { return Ok(copy::no_program()) };
    fs::copy(
        infra().join("terraform/emulator/overrides.tf"),
        copy.path(MODULE).join("emulator_override.tf"),
    )?;
    if let Some(why) = copy.init(ROOT)? {
        return Ok(Outcome::Skipped(why));
    }
    let python = tools::python()?;
    command::run(Command::new(&python).args(["-c", PACKAGE]).arg(copy.path(ROOT).join("florin.zip")))?;
    let aws = AwsServer::queues(&python)?;
    copy.emulated_by(&aws.url());

    copy.variable("package_file", "florin.zip");
    copy.variable("jwt_issuer", "https://issuer.example.com");
    copy.variable("card_url", "https://card.example.com");
    // What is destroyed at the end must neither refuse nor stay for a while.
    copy.variable("deletion_protection", "false");
    copy.variable("keeps_what_is_destroyed", "false");

    say("planning");
    copy.terraform(ROOT, &["plan", "-no-color", "-out=first.plan"])?;
    say("applying (minutes)");
    copy.terraform(ROOT, &["apply", "-no-color", "first.plan"])?;
    say("planning again");
    copy.terraform(ROOT, &["plan", "-no-color", "-out=second.plan"])?;
    fs::write(copy.path("state.json"), copy.terraform(ROOT, &["show", "-json"])?)?;
    fs::write(copy.path("second-plan.json"), copy.terraform(ROOT, &["show", "-json", "second.plan"])?)?;
    say("looking at what was made, and using it");
    let tests = applied_tests(&copy.path("."), &aws.url(), "made::")?;
    say("destroying (minutes)");
    copy.terraform(ROOT, &["destroy", "-no-color", "-auto-approve"])?;
    let left = copy.terraform(ROOT, &["state", "list"])?;
    if !left.trim().is_empty() {
        return Err(Problem::Failed(format!("destroy left in the state:\n{left}")));
    }
    applied_tests(&copy.path("."), &aws.url(), "destroyed::")?;
    Ok(Outcome::Passed(tests))
}

/// Runs the tests that look at the emulator; their summary.
fn applied_tests(directory: &Path, endpoint: &str, which: &str) -> Result<String, Problem> {
    let database = match Part::Postgres.given() {
        Some(_) => None,
        None if Postgres::is_installed() => Some(Postgres::start()?),
        None => None,
    };
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).args([
        "test",
        "-p",
        "florin-conformance",
        "--test",
        "applied",
        "--",
        which,
    ]);
    // What failed is the end of what is said: a backtrace would push it away.
    cargo.env("RUST_BACKTRACE", "0");
    cargo.arg("--nocapture").env("FLORIN_TEST_APPLIED", directory).env(Part::Sqs.variable(), endpoint);
    if let Some(database) = &database {
        cargo.env(Part::Postgres.variable(), database.url());
    }
    let words = output(&mut cargo)?;
    let said = words.lines().filter(|line| line.contains("SKIPPED: ") || line.starts_with("test result: "));
    Ok(said.collect::<Vec<_>>().join("; "))
}

fn say(what: &str) {
    report::line(&format!("              terraform: {what}"));
}
