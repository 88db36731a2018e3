//! `cargo xtask bench`: builds the benchmarks and everything they measure for release, and runs them.

use std::process::Command;

use crate::bring::workspace;
use crate::command;
use crate::problem::Problem;

/// Runs the benchmarks with these options of theirs; `false` when a row could not be measured.
pub(crate) fn run(options: &[String]) -> Result<bool, Problem> {
    // All programs, and only then one of them: it starts the others from where Cargo has put them.
    if !command::start(cargo("build").arg("--bins"))?.wait()? {
        return Err(Problem::Failed("the benchmarks could not be built (see above)".into()));
    }
    command::start(cargo("run").args(["--quiet", "--bin", "florin-bench", "--"]).args(options))?.wait()
}

fn cargo(task: &str) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).args([task, "--release", "--package", "florin-bench"]);
    cargo
}
