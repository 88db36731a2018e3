//! `cargo xtask infra terraform`: formatted, valid, planned, applied to an emulator and taken away again.

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
const ROOTS: &[&str] = &["terraform/aws-serverless"];

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
