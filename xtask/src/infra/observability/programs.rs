//! What the checks are made with: Prometheus of Debian, and Python with a parser of PromQL.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use florin_servers::find_program;

use crate::infra::check::{Outcome, infra, output};
use crate::problem::Problem;
use crate::{apt, command, tools};

/// The parser of PromQL, and of YAML.
const REQUIREMENTS: &[&str] = &["promql-parser==0.11.0", "PyYAML==6.0.3"];

/// A program of Debian's package `prometheus`: promtool, or the server itself.
///
/// # Errors
/// [`Problem::Missing`] where it is not installed and we may not install it.
pub(super) fn prometheus(name: &str) -> Result<PathBuf, Problem> {
    if find_program(&[name]).is_none() {
        apt::install(&BTreeSet::from(["prometheus"])).map_err(|problem| match problem {
            Problem::Failed(why) => Problem::Missing(why),
            other => other,
        })?;
    }
    find_program(&[name])
        .ok_or_else(|| Problem::Missing(format!("{name} is not installed (Debian: prometheus)")))
}

/// A script of infra/observability, whose libraries are installed on first use.
pub(super) fn script(name: &str) -> Result<Command, Problem> {
    let python = tools::python()?;
    let libraries = tools::installed("promql", &REQUIREMENTS.join("\n"), |directory| {
        std::fs::create_dir_all(directory)?;
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]);
        command::run(install.arg(directory).args(REQUIREMENTS))
    })?;
    let mut script = Command::new(&python);
    script.env("PYTHONPATH", libraries).env("PYTHONDONTWRITEBYTECODE", "1").arg(directory().join(name));
    Ok(script)
}

/// The directory infra/observability.
pub(super) fn directory() -> PathBuf {
    infra().join("observability")
}

/// The files of a directory there with this ending, in order.
pub(super) fn files(name: &str, ending: &str) -> Result<Vec<PathBuf>, Problem> {
    let entries = std::fs::read_dir(directory().join(name))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|is| is == ending));
    paths.sort();
    if paths.is_empty() {
        return Err(Problem::Failed(format!("{name} has no file that ends with {ending}")));
    }
    Ok(paths)
}

/// What queries.py is always told: the metrics, the rules and the dashboards.
pub(super) fn queries(rules: &Path) -> Result<Command, Problem> {
    let mut script = script("queries.py")?;
    script.arg(directory().join("metrics.json")).arg(rules).args(files("grafana", "json")?);
    Ok(script)
}

/// What was checked, or why it could not be.
pub(super) fn skipped_where_missing(checked: Result<String, Problem>) -> Result<Outcome, Problem> {
    match checked {
        Ok(said) => Ok(Outcome::Passed(said.trim().to_owned())),
        Err(Problem::Missing(why)) => Ok(Outcome::Skipped(why)),
        Err(problem) => Err(problem),
    }
}

/// The program runs and fails with these words.
pub(super) fn refused(program: &mut Command, what: &str, words: &str) -> Result<(), Problem> {
    match output(program) {
        Ok(_) => Err(Problem::Failed(format!("{what} is not noticed"))),
        Err(Problem::Failed(said)) if said.contains(words) => Ok(()),
        Err(Problem::Failed(said)) => {
            Err(Problem::Failed(format!("{what} is noticed without \"{words}\":\n{said}")))
        }
        Err(problem) => Err(problem),
    }
}
