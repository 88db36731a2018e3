//! `cargo xtask infra terraform`: formatted, valid, planned, applied to an emulator and taken away again.

mod applied;
mod copy;
mod provider;

use super::check::{Check, Outcome, Target, florin};
use crate::problem::Problem;
use copy::Copy;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "terraform",
    checks: &[
        Check { name: "what is deployed is what the code says", slow: false, run: verify },
        Check { name: "formatted", slow: false, run: formatted },
        Check { name: "valid", slow: false, run: valid },
        Check { name: "the module's own tests", slow: false, run: tested },
        Check { name: "applied to an emulator, used and destroyed", slow: true, run: applied::run },
    ],
};

fn verify() -> Result<Outcome, Problem> {
    Ok(Outcome::Passed(florin(&["catalog", "verify"])?.trim().to_owned()))
}

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
