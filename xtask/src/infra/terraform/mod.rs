//! `cargo xtask infra terraform`: formatted, valid, planned, applied to an emulator and taken away again.

mod applied;
mod copy;
mod planned;
mod provider;

use std::process::Command;

use super::check::{Check, DECLARED, Outcome, Target, infra, output};
use crate::problem::Problem;
use crate::tools;
use copy::Copy;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "terraform",
    checks: &[
        DECLARED,
        Check { name: "formatted", slow: false, run: formatted },
        Check { name: "valid", slow: false, run: valid },
        Check { name: "the module's own tests", slow: false, run: tested },
        Check { name: "scanned by checkov", slow: true, run: scanned },
        Check { name: "aws-kubernetes planned around a cluster", slow: true, run: planned::run },
        Check { name: "applied to an emulator, used and destroyed", slow: true, run: applied::run },
    ],
};

fn formatted() -> Result<Outcome, Problem> {
    let Some(copy) = Copy::make("formatted")? else { return Ok(copy::no_program()) };
    copy.terraform(".", &["fmt", "-check", "-diff", "-recursive"])?;
    Ok(Outcome::Passed(String::new()))
}

/// Every directory that can be applied, or that one of those is made of.
const ROOTS: &[&str] = &["terraform/aws-serverless/examples/complete", "terraform/aws-kubernetes"];

/// Every directory with tests of its own.
const TESTED: &[&str] = &["terraform/aws-serverless", "terraform/aws-kubernetes"];

fn valid() -> Result<Outcome, Problem> {
    let Some(copy) = Copy::make("valid")? else { return Ok(copy::no_program()) };
    for root in ROOTS {
        if let Some(why) = copy.init(root)? {
            return Ok(Outcome::Skipped(why));
        }
        copy.terraform(root, &["validate", "-no-color"])?;
    }
    Ok(Outcome::Passed(ROOTS.join(", ")))
}

/// `terraform test`: what the module plans from the catalog, and what it refuses, without AWS.
fn tested() -> Result<Outcome, Problem> {
    let Some(copy) = Copy::make("tested")? else { return Ok(copy::no_program()) };
    for module in TESTED {
        if let Some(why) = copy.init(module)? {
            return Ok(Outcome::Skipped(why));
        }
        copy.terraform(module, &["test", "-no-color"])?;
    }
    Ok(Outcome::Passed(TESTED.join(", ")))
}

/// Nothing that checkov knows to be unsafe, but for the exceptions of its settings, which say why.
fn scanned() -> Result<Outcome, Problem> {
    let checkov = match tools::checkov() {
        Ok(checkov) => checkov,
        Err(Problem::Interrupted) => return Err(Problem::Interrupted),
        Err(why) => return Ok(Outcome::Skipped(format!("checkov cannot be installed: {why}"))),
    };
    let directory = infra().join("terraform");
    let mut scan = Command::new(checkov);
    scan.arg("--config-file").arg(directory.join("checkov.yaml")).arg("--directory").arg(&directory);
    // It answers with success when it finds no file: then it has counted nothing.
    let said = output(scan.env("LOG_LEVEL", "CRITICAL"))?;
    let counts = said.lines().find(|line| line.starts_with("Passed checks: "));
    let Some(counts) = counts.filter(|line| !line.starts_with("Passed checks: 0,")) else {
        return Err(Problem::Failed(format!("checkov checked nothing:\n{said}")));
    };
    Ok(Outcome::Passed(counts.to_owned()))
}
