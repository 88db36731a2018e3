//! `cargo xtask affected --since REF`: what a change reaches, by Cargo's own dependency graph.
//!
//! A service is reached when something changed that its artifact is built from: a crate of ours, a
//! version in Cargo.lock, or the settings of the whole workspace. Its neighbours are no part of it.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use crate::command;
use crate::problem::Problem;
use crate::report;

/// What every artifact and every test is built with.
const WORKSPACE: &[&str] =
    &["Cargo.toml", ".cargo/", "rust-toolchain.toml", "clippy.toml", "infra/containers/Dockerfile"];

/// The adapters of a shipped service; the service itself is one more feature of the host.
const ADAPTERS: &str = "lambda,sqs,rabbitmq,otlp";

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Affected {
    since: String,
    packages: bool,
}

impl Affected {
    /// Reads the words after `cargo xtask affected`.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut since = None;
        let mut packages = false;
        while let Some(word) = words.next() {
            match word.as_str() {
                "--since" => since = Some(words.next().ok_or("--since needs a commit")?),
                "--packages" => packages = true,
                _ => return Err(format!("affected does not know `{word}`")),
            }
        }
        Ok(Self { since: since.ok_or("affected needs --since COMMIT")?, packages })
    }
}

/// Prints the services as a JSON array (a matrix of a pipeline), or the packages whose tests a
/// change may break as options for `cargo xtask test`.
pub(crate) fn run(asked: &Affected) -> Result<(), Problem> {
    let root = words(git(&["rev-parse", "--show-toplevel"]))?.trim().to_owned();
    let range = format!("{}...HEAD", asked.since);
    let change = Change {
        files: words(git(&["diff", "--name-only", &range]))?.lines().map(str::to_owned).collect(),
        crates: changed_versions(&asked.since)?,
    };
    let mut reached = Vec::new();
    if asked.packages {
        for member in members(&root)? {
            let tree = words(cargo(&["tree", "-p", &member, "--all-features", "-e", "all"]))?;
            if change.reaches(&tree, &root) {
                reached.push(format!("-p {member}"));
            }
        }
        report::output(&reached.join(" "));
        return Ok(());
    }
    for service in services(&root)? {
        let features = format!("{ADAPTERS},{service}");
        let tree = words(cargo(&[
            "tree",
            "-p",
            "florin-host",
            "--no-default-features",
            "--features",
            &features,
            "-e",
            "normal,build",
        ]))?;
        if change.reaches(&tree, &root) {
            reached.push(format!("\"{service}\""));
        }
    }
    report::output(&format!("[{}]", reached.join(",")));
    Ok(())
}

/// What a change touched.
struct Change {
    /// Paths from the root of the repository.
    files: Vec<String>,
    /// `name version` of every crate that Cargo.lock gained.
    crates: BTreeSet<String>,
}

impl Change {
    /// Whether something in `tree`, as `cargo tree` prints it, is touched.
    fn reaches(&self, tree: &str, root: &str) -> bool {
        if self.files.iter().any(|file| WORKSPACE.iter().any(|whole| file.starts_with(whole))) {
            return true;
        }
        tree.lines().any(|line| {
            let mut parts = line.split_whitespace();
            let (name, version) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
            let inside = line.split_once(&format!("({root}/")).and_then(|(_, rest)| rest.split_once(')'));
            match inside {
                // Documents beside a crate change nothing that is built.
                Some((folder, _)) => self.files.iter().any(|file| {
                    file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
                        && !file.ends_with(".md")
                }),
                None => self.crates.contains(&format!("{name} {}", version.trim_start_matches('v'))),
            }
        })
    }
}

/// The crates that Cargo.lock names now and did not name at `since`.
fn changed_versions(since: &str) -> Result<BTreeSet<String>, Problem> {
    let base = words(git(&["merge-base", since, "HEAD"]))?;
    let before = words(git(&["show", &format!("{}:Cargo.lock", base.trim())]))?;
    let now = words(git(&["show", "HEAD:Cargo.lock"]))?;
    let known = versions(&before);
    Ok(versions(&now).into_iter().filter(|entry| !known.contains(entry)).collect())
}

/// `name version` of every entry of a Cargo.lock.
fn versions(lock: &str) -> BTreeSet<String> {
    let field = |line: &str, key: &str| Some(line.strip_prefix(key)?.trim_matches('"').to_owned());
    let mut found = BTreeSet::new();
    let mut name = String::new();
    for line in lock.lines() {
        if let Some(value) = field(line, "name = ") {
            name = value;
        } else if let Some(version) = field(line, "version = ") {
            found.insert(format!("{name} {version}"));
        }
    }
    found
}

/// The services: one folder of functions/ each.
fn services(root: &str) -> Result<Vec<String>, Problem> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(format!("{root}/functions"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The packages of the workspace.
fn members(root: &str) -> Result<BTreeSet<String>, Problem> {
    let tree = words(cargo(&["tree", "--workspace", "--depth", "0"]))?;
    let ours = tree.lines().filter(|line| line.contains(root));
    Ok(ours.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect())
}

fn git(arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.args(arguments);
    git
}

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(arguments).args(["--locked", "--prefix", "none"]);
    cargo
}

/// What a program prints.
fn words(mut program: Command) -> Result<String, Problem> {
    let mut group = command::start(program.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let (output, error) = group.read()?;
    if group.wait()? {
        Ok(output)
    } else {
        Err(Problem::Failed(command::last_words(&program, &output, &error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "florin-host v0.1.0 (/code/adapters/host)\nserde v1.0.229\nflorin-kernel v0.1.0 (/code/shared/kernel) (*)\n";

    fn reached_by(file: &str) -> bool {
        Change { files: vec![file.to_owned()], crates: BTreeSet::new() }.reaches(TREE, "/code")
    }

    #[test]
    fn a_service_is_reached_by_what_its_artifact_is_built_from_and_by_nothing_else() {
        assert!(reached_by("shared/kernel/src/money.rs"));
        assert!(reached_by("Cargo.toml"));
        assert!(reached_by("infra/containers/Dockerfile"), "its image is another one");
        assert!(!reached_by("functions/audit/src/lib.rs"), "a neighbour is no part of it");
        assert!(!reached_by("shared/kernel_other/src/lib.rs"), "a folder is not the beginning of a name");
        assert!(!reached_by("shared/kernel/README.md"), "words build nothing");
        assert!(!reached_by("infra/helm/values.yaml"));
    }

    #[test]
    fn a_service_is_reached_by_a_new_version_of_a_crate_it_is_built_from() {
        let lock = |version: &str| format!("[[package]]\nname = \"serde\"\nversion = \"{version}\"\n");
        let (before, now) = (versions(&lock("1.0.228")), versions(&lock("1.0.229")));
        let change = Change { files: vec!["Cargo.lock".into()], crates: &now - &before };
        assert!(change.reaches(TREE, "/code"));
        let other =
            Change { files: vec!["Cargo.lock".into()], crates: BTreeSet::from(["lapin 4.0.0".into()]) };
        assert!(!other.reaches(TREE, "/code"));
    }

    #[test]
    fn the_commit_to_compare_with_must_be_said() {
        let parsed = |line: &str| Affected::parse(line.split_whitespace().map(str::to_owned));
        assert_eq!(parsed("--since main"), Ok(Affected { since: "main".into(), packages: false }));
        assert_eq!(parsed("--packages"), Err("affected needs --since COMMIT".into()));
    }
}
