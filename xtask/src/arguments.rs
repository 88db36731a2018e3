//! The command line of `cargo xtask`.

use florin_servers::Part;

use crate::affected::Affected;
use crate::infra::InfraRun;
use crate::sbom::Sbom;

/// What the person asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Run the tests.
    Test(TestRun),
    /// Keep the servers until Ctrl-C.
    Services(Vec<Part>),
    /// Prove what lies under infra/.
    Infra(InfraRun),
    /// Break guarantees and see their tests fail.
    Mutants(Vec<String>),
    /// Say what a change reaches.
    Affected(Affected),
    /// Say what an artifact is built from.
    Sbom(Sbom),
    /// Measure, with these options of the benchmarks.
    Bench(Vec<String>),
    /// Kill processes, and see that nothing is lost; with the words for who does it.
    Chaos(Vec<String>),
    /// Say what there is.
    Help,
}

/// What to run, and on which parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TestRun {
    /// What to bring.
    pub(crate) parts: Vec<Part>,
    /// Options for Cargo, such as `-p PACKAGE`.
    pub(crate) cargo: Vec<String>,
    /// Whether the options name packages, which `--workspace` would overrule.
    pub(crate) names_packages: bool,
    /// Names of tests and options for the test programs.
    pub(crate) tests: Vec<String>,
}

impl TestRun {
    /// Whether everything is tested, and not what a word or an option chose.
    pub(crate) fn is_whole(&self) -> bool {
        self.tests.is_empty() && self.cargo.iter().all(|option| option == "--locked")
    }
}

/// Reads the words after `cargo xtask`.
pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Task, String> {
    let mut words = words;
    let task = words.next().unwrap_or_default();
    if task == "chaos" {
        return Ok(Task::Chaos(words.collect()));
    }
    if matches!(task.as_str(), "infra" | "affected" | "sbom") {
        let words: Vec<String> = words.collect();
        if words.iter().any(|word| matches!(word.as_str(), "-h" | "--help")) {
            return Ok(Task::Help);
        }
        let words = words.into_iter();
        return match task.as_str() {
            "infra" => InfraRun::parse(words).map(Task::Infra),
            "sbom" => Sbom::parse(words).map(Task::Sbom),
            _ => Affected::parse(words).map(Task::Affected),
        };
    }
    if task == "bench" {
        return Ok(Task::Bench(words.collect()));
    }
    let mut run =
        TestRun { parts: everything(), cargo: Vec::new(), names_packages: false, tests: Vec::new() };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--" => run.tests.extend(words.by_ref()),
            "--parts" => run.parts = parts(&value(&word, &mut words)?)?,
            "-h" | "--help" => return Ok(Task::Help),
            "-p" | "--package" | "--exclude" | "--test" | "--bin" | "--example" | "--bench"
            | "--features" | "-F" | "--profile" | "-j" | "--jobs" | "--target" => {
                run.names_packages |= matches!(word.as_str(), "-p" | "--package");
                let value = value(&word, &mut words)?;
                run.cargo.extend([word, value]);
            }
            _ if word.starts_with('-') => {
                run.names_packages |= word.starts_with("-p") || word.starts_with("--package=");
                run.cargo.push(word);
            }
            _ => run.tests.push(word),
        }
    }
    match task.as_str() {
        "test" => Ok(Task::Test(run)),
        "mutants" if run.cargo.is_empty() => Ok(Task::Mutants(run.tests)),
        "mutants" => Err("mutants takes only names".into()),
        "services" if run.cargo.is_empty() && run.tests.is_empty() => Ok(Task::Services(run.parts)),
        "services" => Err("services takes only --parts".into()),
        "help" | "-h" | "--help" => Ok(Task::Help),
        "" => Err("which task?".into()),
        unknown => Err(format!("there is no task `{unknown}`")),
    }
}

fn value(option: &str, words: &mut impl Iterator<Item = String>) -> Result<String, String> {
    words.next().ok_or_else(|| format!("{option} needs a value"))
}

fn everything() -> Vec<Part> {
    Part::ALL.to_vec()
}

/// A list such as `postgres,rabbitmq`.
pub(crate) fn parts(list: &str) -> Result<Vec<Part>, String> {
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| Part::named(name).ok_or_else(|| format!("there is no part `{name}`"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    fn run(line: &str) -> TestRun {
        match parsed(line) {
            Ok(Task::Test(run)) => run,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn run_is_whole(line: &str) -> bool {
        run(line).is_whole()
    }

    #[test]
    fn filters_and_options_of_the_tests_reach_the_tests_and_the_rest_reaches_cargo() {
        let run = run("test refund -p florin-payments capture --release -- --nocapture");
        assert_eq!(run.tests, ["refund", "capture", "--nocapture"]);
        assert_eq!(run.cargo, ["-p", "florin-payments", "--release"]);
        assert!(run.names_packages);
    }

    #[test]
    fn the_benchmarks_read_their_own_options() {
        let options = ["--rows", "lambda-cpu", "--help"].map(str::to_owned).to_vec();
        assert_eq!(parsed("bench --rows lambda-cpu --help"), Ok(Task::Bench(options)));
    }

    #[test]
    fn without_words_everything_is_brought_and_run() {
        let run = run("test");
        assert_eq!(run.parts, Part::ALL);
        assert!(!run.names_packages && run.is_whole());
        assert!(
            run_is_whole("test --locked") && !run_is_whole("test refund") && !run_is_whole("test -p xtask")
        );
    }

    #[test]
    fn unknown_tasks_and_parts_are_refused_by_name() {
        assert_eq!(parsed("tests"), Err("there is no task `tests`".into()));
        assert_eq!(parsed("services --parts postgres,mysql"), Err("there is no part `mysql`".into()));
        assert_eq!(parsed("test -p"), Err("-p needs a value".into()));
    }
}
