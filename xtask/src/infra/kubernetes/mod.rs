//! What the targets helm and knative share: the programs, and the checks of manifests in infra/kubernetes.

mod broken;
pub(super) mod probe;
mod programs;
mod scratch;
mod started;

use std::path::Path;
use std::process::Command;

pub(super) use broken::{Broken, find};
pub(super) use programs::Programs;
pub(super) use scratch::Scratch;
pub(super) use started::{Site, Start};

use super::check::{Outcome, infra, output};
use crate::problem::Problem;

/// Makes a check that needs the programs; where they cannot be had it is skipped.
pub(super) fn with(check: impl FnOnce(&Programs) -> Result<String, Problem>) -> Result<Outcome, Problem> {
    match Programs::bring().and_then(|programs| check(&programs)) {
        Ok(said) => Ok(Outcome::Passed(said)),
        Err(Problem::Missing(why)) => Ok(Outcome::Skipped(why)),
        Err(problem) => Err(problem),
    }
}

impl Programs {
    /// Runs a task of infra/kubernetes/check.mjs on a file of manifests.
    pub(super) fn check(&self, manifests: &Path, arguments: &[&str]) -> Result<String, Problem> {
        let mut node = Command::new(&self.node);
        node.arg(infra().join("kubernetes/check.mjs")).arg(&self.models).arg(manifests).args(arguments);
        Ok(output(&mut node)?.trim().to_owned())
    }

    /// Adds to generated files what a new service would add.
    pub(super) fn grow(&self, files: &[&Path]) -> Result<(), Problem> {
        let mut node = Command::new(&self.node);
        output(node.arg(infra().join("kubernetes/grow.mjs")).args(files)).map(drop)
    }
}
