//! `cargo xtask mutants`: breaks a guarantee on purpose, in a scratch worktree, and expects the test that holds it to fail.
//!
//! A mutant is a patch in adapters/conformance/mutants/. Its first lines say what it breaks and which
//! test must notice:
//!
//! ```text
//! Breaks: the state change and its events commit together or not at all
//! Caught-by: -p florin-kernel --test corridor -- together::a_fault_leaves_nothing
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use florin_servers::Part;

use crate::bring::{Brought, bring, workspace};
use crate::problem::Problem;
use crate::require::Require;
use crate::{command, report};

const FOLDER: &str = "adapters/conformance/mutants";

/// One deliberate defect.
#[derive(Debug, PartialEq, Eq)]
struct Mutant {
    name: String,
    patch: PathBuf,
    breaks: String,
    /// Options for `cargo test` and, after `--`, the name of one test.
    caught_by: Vec<String>,
}

impl Mutant {
    fn read(patch: PathBuf) -> Result<Self, Problem> {
        let text = fs::read_to_string(&patch)?;
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let line = |key: &str| {
            let value = text
                .lines()
                .take_while(|line| !line.starts_with("diff "))
                .find_map(|line| line.strip_prefix(key));
            value
                .map(|value| value.trim().to_owned())
                .ok_or_else(|| Problem::Failed(format!("{name} has no line `{key}`")))
        };
        let caught_by = line("Caught-by:")?.split_whitespace().map(str::to_owned).collect();
        Ok(Self { breaks: line("Breaks:")?, caught_by, name, patch })
    }
}

/// Tries the mutants whose names contain one of `filters`, or all; `false` when one was not noticed.
pub(crate) fn run(filters: &[String]) -> Result<bool, Problem> {
    let mut mutants = Vec::new();
    for entry in fs::read_dir(workspace().join(FOLDER))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "patch") {
            mutants.push(Mutant::read(path)?);
        }
    }
    mutants.sort_by(|one, other| one.name.cmp(&other.name));
    mutants.retain(|mutant| filters.is_empty() || filters.iter().any(|filter| mutant.name.contains(filter)));
    if mutants.is_empty() {
        return Err(Problem::Failed(format!("no mutant is named like {}", filters.join(" or "))));
    }
    let require = Require::read().map_err(Problem::Failed)?;
    let servers = bring(&[Part::Postgres, Part::RabbitMq], &require)?;
    let scratch = Scratch::new()?;
    let healthy = scratch.healthy(&mutants, &servers)?;
    let mut missed = Vec::new();
    for (number, mutant) in mutants.iter().enumerate() {
        report::line(&format!("{}/{} {}: {}", number + 1, mutants.len(), mutant.name, mutant.breaks));
        let started = Instant::now();
        let verdict = match healthy.get(&mutant.caught_by) {
            Some(None) => scratch.tries(mutant, &servers)?,
            Some(Some(why)) => Err(format!("without the defect its test {why}")),
            None => Err("its test was not tried without the defect".to_owned()),
        };
        let seconds = started.elapsed().as_secs_f32();
        match verdict {
            Ok(test) => report::line(&format!("    caught in {seconds:.0} s by {test}")),
            Err(why) => {
                report::line(&format!("    NOT CAUGHT in {seconds:.0} s: {why}"));
                missed.push(mutant.name.as_str());
            }
        }
    }
    report::output(&format!("{} of {} mutants caught", mutants.len() - missed.len(), mutants.len()));
    if !missed.is_empty() {
        report::output(&format!("not caught: {}", missed.join(", ")));
    }
    Ok(missed.is_empty())
}

/// A worktree of HEAD with artifacts of its own: what is built from a defect must not be found by a later build.
struct Scratch {
    tree: PathBuf,
    artifacts: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self, Problem> {
        let place = florin_servers::target_directory().unwrap_or_else(std::env::temp_dir).join("mutants");
        let scratch = Self { tree: place.join("tree"), artifacts: place.join("target") };
        fs::create_dir_all(&place)?;
        scratch.remove();
        command::run(
            git(&workspace()).args(["worktree", "add", "--quiet", "--detach"]).arg(&scratch.tree).arg("HEAD"),
        )?;
        Ok(scratch)
    }

    /// Each test that is named, without a defect: none, or what is wrong with it.
    fn healthy(
        &self,
        mutants: &[Mutant],
        servers: &Brought,
    ) -> Result<BTreeMap<Vec<String>, Option<String>>, Problem> {
        let mut healthy = BTreeMap::new();
        for mutant in mutants {
            if healthy.contains_key(&mutant.caught_by) {
                continue;
            }
            report::line(&format!("without defects: {}", mutant.caught_by.join(" ")));
            let (succeeded, words) = self.test(&mutant.caught_by, servers)?;
            let ran = words.lines().any(|line| line.starts_with("test ") && line.ends_with(" ok"));
            let wrong = match (succeeded, ran) {
                (true, true) => None,
                (true, false) => Some("does not exist".to_owned()),
                (false, _) => Some(format!("fails:\n{}", end_of(&words))),
            };
            healthy.insert(mutant.caught_by.clone(), wrong);
        }
        Ok(healthy)
    }

    /// Applies the defect, runs its test, takes the defect out again. Gives the test that failed, or why none did.
    fn tries(&self, mutant: &Mutant, servers: &Brought) -> Result<Result<String, String>, Problem> {
        if let Err(why) = command::run(git(&self.tree).args(["apply", "--recount"]).arg(&mutant.patch)) {
            return Ok(Err(format!("the patch no longer applies: {why}")));
        }
        let outcome = self.test(&mutant.caught_by, servers);
        command::run(git(&self.tree).args(["checkout", "--quiet", "--", "."]))?;
        let (succeeded, words) = outcome?;
        let failed = words.lines().find_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
        Ok(match failed {
            Some(test) if !succeeded => Ok(test.to_owned()),
            _ if succeeded => Err("every test passed".to_owned()),
            _ => Err(format!("it ended without a test that failed:\n{}", end_of(&words))),
        })
    }

    /// Runs a test in the worktree: whether it succeeded, and what it said.
    fn test(&self, options: &[String], servers: &Brought) -> Result<(bool, String), Problem> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.tree).args(["test", "--locked", "--all-features"]).args(options);
        if !options.iter().any(|option| option == "--") {
            cargo.arg("--");
        }
        cargo.env("CARGO_TARGET_DIR", &self.artifacts).envs(servers.variables());
        let mut group = command::start(cargo.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let (output, error) = group.read()?;
        let succeeded = group.wait()?;
        Ok((succeeded, format!("{error}\n{output}")))
    }

    /// A worktree that is not there is what was wanted.
    fn remove(&self) {
        let _ = command::run(git(&workspace()).args(["worktree", "remove", "--force"]).arg(&self.tree));
        let _ = command::run(git(&workspace()).args(["worktree", "prune"]));
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

/// The last lines of what a program said.
fn end_of(words: &str) -> String {
    let lines: Vec<&str> = words.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}

fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder);
    git
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a patch takes for the present text: for each file the lines of each hunk that it keeps or takes out.
    fn present(patch: &str) -> Vec<(String, String)> {
        let mut hunks = Vec::new();
        let mut file = "";
        for line in patch.lines().skip_while(|line| !line.starts_with("diff ")) {
            if let Some(named) = line.strip_prefix("--- a/") {
                file = named;
            } else if line.starts_with("@@ ") {
                hunks.push((file.to_owned(), String::new()));
            } else if let (Some((_, text)), Some(kept)) =
                (hunks.last_mut(), line.strip_prefix([' ', '-']).or(line.is_empty().then_some("")))
                && !line.starts_with("--- ")
            {
                text.push_str(kept);
                text.push('\n');
            }
        }
        hunks
    }

    #[test]
    fn every_mutant_still_fits_the_code_that_it_breaks() {
        let mut looked_at = 0;
        for entry in fs::read_dir(workspace().join(FOLDER)).expect("the mutants") {
            let path = entry.expect("an entry").path();
            let mutant = Mutant::read(path.clone()).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            for (file, text) in present(&fs::read_to_string(&mutant.patch).expect("a patch")) {
                let now = fs::read_to_string(workspace().join(&file)).unwrap_or_default();
                assert!(now.contains(&text), "{} does not fit {file} any more", mutant.name);
                looked_at += 1;
            }
        }
        assert!(looked_at >= 8, "{looked_at} hunks");
    }
}
