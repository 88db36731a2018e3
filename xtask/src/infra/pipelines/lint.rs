//! What programs and we ourselves say about the text of the workflows.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::{programs, skipped_where_missing, text};
use crate::infra::check::{Outcome, output};
use crate::problem::Problem;

pub(super) fn sound() -> Result<Outcome, Problem> {
    skipped_where_missing(actionlint(&text::github()))
}

pub(super) fn safe() -> Result<Outcome, Problem> {
    skipped_where_missing(zizmor(&text::github()))
}

pub(super) fn pinned() -> Result<Outcome, Problem> {
    Ok(Outcome::Passed(pins(&text::github())?))
}

/// Syntax, expressions, inputs of our own workflows and actions, and the shell in all of them.
pub(super) fn actionlint(github: &Path) -> Result<String, Problem> {
    let programs = programs::bring()?;
    let (workflows, scripts) = (text::workflows(github)?, text::scripts(github)?);
    let mut lint = Command::new(programs.join("actionlint"));
    // It finds shellcheck by the search path, and our workflows by the directory.
    lint.current_dir(github).env("PATH", search_path(&[&programs])?);
    output(lint.arg("-no-color").args(&workflows))?;
    output(Command::new(programs.join("shellcheck")).args(&scripts))?;
    Ok(format!("{} workflows, {} scripts", workflows.len(), scripts.len()))
}

/// Injection, permissions, credentials that stay, caches that poison, references that move: pedantically.
pub(super) fn zizmor(github: &Path) -> Result<String, Problem> {
    let programs = programs::bring()?;
    let mut audit = Command::new(programs.join("zizmor"));
    audit.args(["--offline", "--no-progress", "--color=never", "--strict-collection", "--persona=pedantic"]);
    // It answers with success when it finds no file: then it has audited nothing.
    output(audit.arg("--collect=all").arg(github))?;
    Ok(String::new())
}

/// An action of somebody else is named by its commit; the version beside it is for people.
pub(super) fn pins(github: &Path) -> Result<String, Problem> {
    let mut count = 0;
    for file in text::workflows(github)? {
        for line in text::lines(&file)? {
            let Some((_, used)) = line.split_once("uses: ") else { continue };
            if used.starts_with("$/") {
                continue;
            }
            if !is_pinned(used) {
                return Err(Problem::Failed(format!(
                    "{}: `{used}` is not OWNER/NAME@COMMIT # vVERSION",
                    file.display()
                )));
            }
            count += 1;
        }
    }
    if count == 0 {
        return Err(Problem::Failed("no workflow uses an action: nothing was checked".to_owned()));
    }
    Ok(format!("{count} uses"))
}

fn is_pinned(used: &str) -> bool {
    let Some((action, version)) = used.split_once(" # v") else { return false };
    let commit = action.split_once('@').map_or("", |(_, commit)| commit);
    let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit && version.split('.').all(|part| part.parse::<u32>().is_ok())
}

/// The search path with these directories before all others.
pub(super) fn search_path(first: &[&Path]) -> Result<OsString, Problem> {
    let others = std::env::var_os("PATH").unwrap_or_default();
    let first = first.iter().map(|path| path.to_path_buf());
    std::env::join_paths(first.chain(std::env::split_paths(&others)))
        .map_err(|why| Problem::Failed(why.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_pinned_by_its_commit_and_says_its_version() {
        let commit = "0".repeat(40);
        assert!(is_pinned(&format!("actions/checkout@{commit} # v6.0.0")));
        assert!(!is_pinned("actions/checkout@v6 # v6.0.0"));
        assert!(!is_pinned(&format!("actions/checkout@{commit}")));
        assert!(!is_pinned(&format!("actions/checkout@{commit} # vmain")));
    }
}
