//! `cargo xtask services`: the servers of the tests, for as long as someone works with them.

use std::io::Write;

use florin_servers::Part;

use crate::bring::bring;
use crate::problem::Problem;
use crate::require::Require;
use crate::{report, signals};

/// Starts the servers, prints the `export` lines for a shell and waits for Ctrl-C.
pub(crate) fn run(parts: &[Part]) -> Result<(), Problem> {
    let require = Require::read().map_err(Problem::Failed)?;
    let brought = bring(parts, &require)?;
    let mut output = std::io::stdout().lock();
    for (name, value) in brought.variables() {
        writeln!(output, "export {name}='{}'", value.replace('\'', r"'\''"))?;
    }
    output.flush()?;
    report::line("Ctrl-C stops them");
    signals::wait();
    Ok(())
}
