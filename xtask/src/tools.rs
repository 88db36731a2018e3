//! Tools that no system package carries: a Python environment and the AsyncAPI schema, under target/tools.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use florin_servers::find_program;

use crate::command;
use crate::problem::Problem;

const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// Installed without its dependency `ziglang`, 500 MB that only cross builds need.
const CARGO_LAMBDA: &str = "cargo-lambda==1.9.2";

/// The npm package in which the AsyncAPI project publishes its schemas.
const ASYNCAPI: &str = "@asyncapi/specs@6.11.1";

/// Scans infrastructure code for what is known to be unsafe.
const CHECKOV: &str = "checkov==3.3.30";

/// A Python that can make virtual environments.
pub(crate) fn system_python() -> Option<PathBuf> {
    let candidates = [find_program(&["python3"]), Some(PathBuf::from("/usr/bin/python3"))];
    candidates.into_iter().flatten().find(|python| {
        // Debian splits `ensurepip`, without which `venv` fails, into a package of its own.
        let check = Command::new(python).args(["-c", "import ensurepip, venv"]).output();
        check.is_ok_and(|answer| answer.status.success())
    })
}

/// The Python of our own environment, which is made on first use.
pub(crate) fn python() -> Result<PathBuf, Problem> {
    let wanted = format!("{REQUIREMENTS}{CARGO_LAMBDA}\n");
    let environment = installed("python", &wanted, |environment| {
        let python = system_python().ok_or_else(|| Problem::Missing("python3 with venv".into()))?;
        command::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(environment))?;
        let requirements = environment.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS)?;
        let pip = || {
            let mut pip = Command::new(environment.join("bin/python"));
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "5"]);
            pip
        };
        command::run(pip().arg("-r").arg(&requirements))?;
        command::run(pip().args(["--no-deps", CARGO_LAMBDA]))
    })?;
    Ok(environment.join("bin/python"))
}

/// checkov, in an environment of its own: it pins a hundred packages.
pub(crate) fn checkov() -> Result<PathBuf, Problem> {
    let environment = installed("checkov", CHECKOV, |environment| {
        let python = system_python().ok_or_else(|| Problem::Missing("python3 with venv".into()))?;
        command::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(environment))?;
        let mut pip = Command::new(environment.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--retries",
            "5",
            CHECKOV,
        ]);
        command::run(&mut pip)
    })?;
    Ok(environment.join("bin/checkov"))
}

/// The official JSON Schema of AsyncAPI 3.0.
pub(crate) fn asyncapi_schema() -> Result<PathBuf, Problem> {
    let directory = installed("asyncapi", ASYNCAPI, |directory| {
        let npm = find_program(&["npm"]).ok_or_else(|| Problem::Missing("npm".into()))?;
        fs::create_dir_all(directory)?;
        let mut install = Command::new(npm);
        install.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", ASYNCAPI]);
        // Without `--prefix`, npm installs into the nearest parent that has a package.json.
        command::run(install.arg("--prefix").arg(directory).current_dir(directory))
    })?;
    Ok(directory.join("node_modules/@asyncapi/specs/schemas/3.0.0.json"))
}

/// The directory target/tools/NAME, filled by `fill` unless it already is as `wanted` says.
pub(crate) fn installed(
    name: &str,
    wanted: &str,
    fill: impl FnOnce(&Path) -> Result<(), Problem>,
) -> Result<PathBuf, Problem> {
    let tools = florin_servers::target_directory().unwrap_or_else(std::env::temp_dir).join("tools");
    let denied = |why| Problem::Failed(format!("{}: {why}", tools.display()));
    fs::create_dir_all(&tools).map_err(denied)?;
    // Two runs at once: the second waits for the first.
    let lock = File::create(tools.join(format!("{name}.lock"))).map_err(denied)?;
    lock.lock()?;
    let directory = tools.join(name);
    let stamp = tools.join(format!("{name}.stamp"));
    if fs::read_to_string(&stamp).is_ok_and(|done| done == wanted) && directory.is_dir() {
        return Ok(directory);
    }
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fill(&directory)?;
    fs::write(&stamp, wanted)?;
    Ok(directory)
}
