//! The rules of Prometheus: valid, tested, and each alert tested both ways.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::programs::{directory, prometheus, refused, script, skipped_where_missing};
use crate::infra::check::{Outcome, infra, output};
use crate::infra::kubernetes::Scratch;
use crate::problem::Problem;

/// Where they are.
pub(super) fn path() -> PathBuf {
    directory().join("prometheus/rules.yml")
}

/// Their tests, the quick ones first.
const TESTS: &[&str; 2] = &["tests.yml", "days.yml"];

/// `promtool check` and `promtool test`, and the configuration that loads the rules in compose.
pub(super) fn tested() -> Result<Outcome, Problem> {
    skipped_where_missing(prometheus("promtool").and_then(|promtool| {
        output(Command::new(&promtool).args(["check", "rules", "--lint-fatal"]).arg(path()))?;
        let scratch = Scratch::make()?;
        // As compose mounts them: beside each other.
        std::fs::copy(path(), scratch.path().join("rules.yml"))?;
        let configuration = scratch.path().join("prometheus.yml");
        std::fs::copy(infra().join("containers/prometheus.yml"), &configuration)?;
        output(Command::new(&promtool).args(["check", "config"]).arg(configuration))?;
        for tests in TESTS {
            output(&mut test(&promtool, &directory().join("prometheus"), tests))?;
        }
        let count = |word: &str| -> Result<usize, Problem> {
            Ok(std::fs::read_to_string(path())?.matches(word).count())
        };
        Ok(format!("{} alerts, {} recorded", count("- alert: ")?, count("- record: ")?))
    }))
}

/// Every alert, once never firing and once without its limit: a test must fail.
pub(super) fn each_alert() -> Result<Outcome, Problem> {
    skipped_where_missing(prometheus("promtool").and_then(|promtool| {
        let scratch = Scratch::make()?;
        for tests in TESTS {
            std::fs::copy(directory().join("prometheus").join(tests), scratch.path().join(tests))?;
        }
        let broken = output(script("alerts.py")?.arg(path()).arg(scratch.path()))?;
        for name in broken.lines() {
            std::fs::rename(scratch.path().join(format!("{name}.yml")), scratch.path().join("rules.yml"))?;
            let [quick, slow] = TESTS;
            match output(&mut test(&promtool, scratch.path(), quick)) {
                Ok(_) => refused(&mut test(&promtool, scratch.path(), slow), name, "FAILED")?,
                Err(Problem::Failed(said)) if said.contains("FAILED") => {}
                Err(problem) => return Err(problem),
            }
        }
        Ok(format!("{} mistakes", broken.lines().count()))
    }))
}

fn test(promtool: &Path, directory: &Path, tests: &str) -> Command {
    let mut test = Command::new(promtool);
    test.args(["test", "rules"]).arg(directory.join(tests));
    test
}
