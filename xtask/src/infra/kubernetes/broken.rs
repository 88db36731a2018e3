//! Whether the checks find what is wrong: manifests are broken on purpose, one way at a time.

use std::path::Path;

use super::{Programs, Scratch};
use crate::problem::Problem;

/// A way to break manifests.
pub(in crate::infra) struct Broken {
    /// Where this stands,
    pub(in crate::infra) from: &'static str,
    /// this is put,
    pub(in crate::infra) to: &'static str,
    /// and a check fails with these words.
    pub(in crate::infra) words: &'static str,
}

/// Whether one of the tasks finds each of them.
pub(in crate::infra) fn find(
    programs: &Programs,
    scratch: &Scratch,
    manifests: &Path,
    tasks: &[Vec<&str>],
    broken: &[Broken],
) -> Result<String, Problem> {
    let whole = std::fs::read_to_string(manifests)?;
    for Broken { from, to, words } in broken {
        if !whole.contains(from) {
            return Err(Problem::Failed(format!("`{from}` is no longer there to be broken")));
        }
        let broken = scratch.write("broken.yaml", &whole.replace(from, to))?;
        let mut said = String::new();
        for task in tasks {
            match programs.check(&broken, task) {
                Ok(_) => {}
                Err(Problem::Failed(why)) => said.push_str(&why),
                Err(problem) => return Err(problem),
            }
        }
        if !said.contains(words) {
            return Err(Problem::Failed(format!("`{to}` for `{from}`: nobody says \"{words}\"\n{said}")));
        }
    }
    Ok(format!("{} mistakes", broken.len()))
}
