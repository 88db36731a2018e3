//! `cargo xtask test`: builds while the servers start, runs the tests, says what ran.

use std::fs;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::Command;
use std::thread;

use florin_servers::SKIPPED_VARIABLE;

use crate::arguments::TestRun;
use crate::bring::{Brought, bring, workspace};
use crate::infra::{self, InfraRun};
use crate::problem::Problem;
use crate::require::Require;
use crate::summary::Summary;
use crate::{command, report};

/// Runs the tests; `false` when one failed.
pub(crate) fn run(run: &TestRun) -> Result<bool, Problem> {
    let require = Require::read().map_err(Problem::Failed)?;
    let brought = thread::scope(|scope| {
        let bringing = scope.spawn(|| call_off_on_failure(bring(&run.parts, &require)));
        let built = call_off_on_failure(build(run));
        if built.is_ok() && !bringing.is_finished() {
            report::line("waiting for the servers");
        }
        let brought = bringing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // The one that failed called the other off: it has the reason.
        match (built, brought) {
            (Err(Problem::Interrupted), Err(problem)) => Err(problem),
            (Err(problem), _) => Err(problem),
            (Ok(()), brought) => brought,
        }
    })?;
    let skipped = florin_servers::target_directory()
        .unwrap_or_else(std::env::temp_dir)
        .join(format!("florin-skipped-{}", std::process::id()));
    let summary = test(run, &brought, &skipped);
    let _ = fs::remove_file(&skipped);
    florin_servers::wait_for_guards();
    let mut summary = summary?;
    if run.is_whole() {
        summary.checked(infra::checks(&InfraRun::fast())?);
    }
    let words = summary.words(brought.absent());
    // Stopped before the last word, so that it stays the last.
    drop(brought);
    let mut output = std::io::stdout().lock();
    output.write_all(words.as_bytes())?;
    output.flush()?;
    Ok(summary.is_green())
}

fn call_off_on_failure<T>(outcome: Result<T, Problem>) -> Result<T, Problem> {
    if outcome.is_err() {
        command::call_off();
    }
    outcome
}

fn build(run: &TestRun) -> Result<(), Problem> {
    if command::start(cargo_test(run).arg("--no-run"))?.wait()? {
        return Ok(());
    }
    Err(Problem::Failed("the tests could not be built (see above)".into()))
}

fn test(run: &TestRun, brought: &Brought, skipped: &Path) -> Result<Summary, Problem> {
    fs::write(skipped, "")?;
    let mut cargo = cargo_test(run);
    cargo.arg("--").args(&run.tests).envs(brought.variables()).env(SKIPPED_VARIABLE, skipped);
    // One pipe for both keeps the words of Cargo and of the tests in the order they were said.
    let (output, words) = std::io::pipe()?;
    cargo.stdout(words.try_clone()?).stderr(words);
    if std::io::stdout().is_terminal() {
        cargo.env("CARGO_TERM_COLOR", "always");
    }
    let group = command::start(&mut cargo)?;
    // The pipe ends when nobody can write to it, and this still could.
    drop(cargo);
    let reader = thread::spawn(move || pass_on(output));
    let succeeded = group.wait();
    let mut summary = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    summary.skipped(&fs::read_to_string(skipped)?);
    if !succeeded? {
        summary.ended_badly();
    }
    Ok(summary)
}

/// Shows what the tests say while it is read. Ends when the last program that writes there ended, and
/// the end of Cargo's group sees to that.
fn pass_on(output: impl std::io::Read) -> std::io::Result<Summary> {
    let mut summary = Summary::default();
    let mut lines = BufReader::new(output);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        std::io::stdout().lock().write_all(&line)?;
        summary.read(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    Ok(summary)
}

fn cargo_test(run: &TestRun) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace());
    cargo.args(["test", "--all-features", "--no-fail-fast"]);
    if !run.names_packages {
        cargo.arg("--workspace");
    }
    cargo.args(&run.cargo);
    cargo
}
