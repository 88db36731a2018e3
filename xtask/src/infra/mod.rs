//! `cargo xtask infra TARGET...`: proves that what lies under infra/ works, target by target.

pub(crate) mod check;
mod containers;
mod docs;
mod helm;
mod knative;
mod kubernetes;
mod observability;
mod pipelines;
mod secrets;
mod terraform;

use std::time::Instant;

use check::{Outcome, Target};

use crate::problem::Problem;
use crate::report;

/// Everything that can be proven. A new target is a file of its own and one line here.
const TARGETS: &[&Target] = &[
    &terraform::TARGET,
    &knative::TARGET,
    &helm::TARGET,
    &containers::TARGET,
    &observability::TARGET,
    &pipelines::TARGET,
    &docs::TARGET,
];

/// Which targets, and how much of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InfraRun {
    targets: Vec<&'static str>,
    fast: bool,
    /// A check that cannot be made here is one that failed.
    strict: bool,
}

impl InfraRun {
    /// What `cargo xtask test` runs: of every target what takes seconds.
    pub(crate) fn fast() -> Self {
        Self { targets: names().collect(), fast: true, strict: false }
    }

    /// Reads the words after `cargo xtask infra`.
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut run = Self { targets: Vec::new(), fast: false, strict: false };
        for word in words {
            match word.as_str() {
                "--fast" => {
                    run.fast = true;
                    continue;
                }
                "--strict" => {
                    run.strict = true;
                    continue;
                }
                _ => {}
            }
            let known = names().find(|name| *name == word);
            run.targets.push(known.ok_or_else(|| {
                let known: Vec<_> = names().collect();
                format!("there is no target `{word}`: {} are", known.join(", "))
            })?);
        }
        if run.targets.is_empty() {
            run.targets = names().collect();
        }
        Ok(run)
    }
}

/// What a run came to.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// How many checks passed.
    pub(crate) passed: usize,
    /// The checks that failed; why stands above.
    pub(crate) failed: Vec<String>,
    /// The checks that could not be made here, with the reason.
    pub(crate) skipped: Vec<(String, String)>,
}

/// Runs the task; `false` when a check failed.
pub(crate) fn run(run: &InfraRun) -> Result<bool, Problem> {
    let verdict = checks(run)?;
    for (check, why) in &verdict.skipped {
        report::line(&format!("skipped: {check}: {why}"));
    }
    for check in &verdict.failed {
        report::line(&format!("failed: {check}"));
    }
    let Verdict { passed, failed, skipped } = verdict;
    report::line(&format!("{passed} passed, {} failed, {} skipped", failed.len(), skipped.len()));
    Ok(failed.is_empty() && (skipped.is_empty() || !run.strict))
}

/// Makes the checks, one after the other; one that fails leaves the others their turn.
pub(crate) fn checks(run: &InfraRun) -> Result<Verdict, Problem> {
    let mut verdict = Verdict::default();
    let wanted = TARGETS.iter().filter(|target| run.targets.contains(&target.name));
    for (target, check) in wanted.flat_map(|target| target.checks.iter().map(move |check| (target, check))) {
        if run.fast && check.slow {
            continue;
        }
        let name = format!("{}: {}", target.name, check.name);
        let started = Instant::now();
        match (check.run)() {
            Ok(Outcome::Passed(said)) => {
                let said = if said.is_empty() { said } else { format!(": {said}") };
                report::line(&format!("ok in {:>5.1} s  {name}{said}", started.elapsed().as_secs_f32()));
                verdict.passed += 1;
            }
            Ok(Outcome::Skipped(why)) => {
                report::line(&format!("skipped       {name}: {why}"));
                verdict.skipped.push((name, why));
            }
            Err(Problem::Interrupted) => return Err(Problem::Interrupted),
            Err(problem) => {
                report::line(&format!("FAILED        {name}: {problem}"));
                verdict.failed.push(name);
            }
        }
    }
    Ok(verdict)
}

/// What the targets are called.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TARGETS.iter().map(|target| target.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<InfraRun, String> {
        InfraRun::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn without_a_target_all_are_proven() {
        assert_eq!(parsed("").unwrap().targets.len(), TARGETS.len());
        assert_eq!(
            parsed("terraform --fast --strict"),
            Ok(InfraRun { targets: vec!["terraform"], fast: true, strict: true })
        );
    }

    #[test]
    fn an_unknown_target_is_refused_by_name() {
        let said = parsed("terrafrom").unwrap_err();
        assert!(said.contains("`terrafrom`") && said.contains("terraform"), "{said}");
    }
}
