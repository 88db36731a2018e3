//! `cargo xtask affected --since REF`: what a change reaches, by Cargo's own dependency graph.
//!
//! A service is reached when something changed that its artifact is built from: a crate of ours, a
//! version in Cargo.lock, the settings of the whole workspace, or a file elsewhere that a source names. Its
//! neighbours are no part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use crate::command;
use crate::infra;
use crate::problem::Problem;
use crate::report;

/// What every artifact and every test is built with.
const WORKSPACE: &[&str] =
    &["Cargo.toml", ".cargo/", "rust-toolchain.toml", "clippy.toml", "infra/containers/Dockerfile"];

/// The adapters of a shipped service; the service itself is one more feature of the host.
const ADAPTERS: &str = "lambda,sqs,rabbitmq,otlp";

/// What lies under infra/, and which targets of `cargo xtask infra` look at it. The page names things from all of it.
const TARGETS: &[(&str, &[&str])] = &[
    ("infra/catalog/", &["terraform"]),
    ("infra/containers/", &["containers"]),
    ("infra/external-secrets/", &["terraform", "helm"]),
    ("infra/helm/", &["helm"]),
    ("infra/knative/", &["knative"]),
    ("infra/kubernetes/", &["knative", "helm"]),
    ("infra/observability/", &["observability"]),
    ("infra/terraform/", &["terraform"]),
    ("infra/", &["docs"]),
    // The page names its scripts, their verbs and what they read.
    (".github/deploy/", &["docs"]),
];

/// Where the targets are; each is a file or a folder of its name, and the others are part of all of them.
const CHECKS: &str = "xtask/src/infra/";

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Affected {
    since: String,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Services,
    Packages,
    Targets,
}

impl Affected {
    /// Reads the words after `cargo xtask affected`.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut since = None;
        let mut what = What::Services;
        while let Some(word) = words.next() {
            match word.as_str() {
                "--since" => since = Some(words.next().ok_or("--since needs a commit")?),
                "--packages" => what = What::Packages,
                "--targets" => what = What::Targets,
                _ => return Err(format!("affected does not know `{word}`")),
            }
        }
        Ok(Self { since: since.ok_or("affected needs --since COMMIT")?, what })
    }
}

/// Prints the services as a JSON array (a matrix of a pipeline), the packages whose tests a change may
/// break as options for `cargo xtask test`, or the targets that look at what it touched under infra/.
pub(crate) fn run(asked: &Affected) -> Result<(), Problem> {
    let root = words(git(&["rev-parse", "--show-toplevel"]))?.trim().to_owned();
    let range = format!("{}...HEAD", asked.since);
    let files: Vec<String> =
        words(git(&["diff", "--name-only", &range]))?.lines().map(str::to_owned).collect();
    if asked.what == What::Targets {
        report::output(&targets(&files).join(" "));
        return Ok(());
    }
    // Its tests are no part of an artifact.
    let sources = if asked.what == What::Packages { "" } else { "src" };
    let change = Change {
        files,
        crates: changed_versions(&asked.since)?,
        named: named_elsewhere(Path::new(&root), sources)?,
    };
    let mut reached = Vec::new();
    if asked.what == What::Packages {
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
    /// For the folder of a crate, the beginnings of paths elsewhere that its sources name: it is built from these, too.
    named: BTreeMap<String, BTreeSet<String>>,
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
                    let is_its_own = file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
                    let named = self.named.get(folder);
                    let is_named = named.is_some_and(|named| named.iter().any(|path| file.starts_with(path)));
                    is_named || (is_its_own && !file.ends_with(".md"))
                }),
                None => self.crates.contains(&format!("{name} {}", version.trim_start_matches('v'))),
            }
        })
    }
}

/// The targets that look at these files.
fn targets(files: &[String]) -> Vec<&'static str> {
    let mut reached = BTreeSet::new();
    for file in files {
        for (_, targets) in TARGETS.iter().filter(|(folder, _)| file.starts_with(folder)) {
            reached.extend(*targets);
        }
        if let Some(check) = file.strip_prefix(CHECKS) {
            let name = check.split(['/', '.']).next();
            let own = infra::names().find(|target| Some(*target) == name);
            reached.extend(own.map_or_else(|| infra::names().collect(), |own| vec![own]));
        }
    }
    reached.into_iter().collect()
}

/// What the sources of each crate name outside of its folder, by the folders of the crates.
fn named_elsewhere(root: &Path, sources: &str) -> Result<BTreeMap<String, BTreeSet<String>>, Problem> {
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in words(git(&["ls-files", "--full-name", "--", ":/*Cargo.toml"]))?.lines() {
        let folder = file.strip_suffix("Cargo.toml").unwrap_or_default().trim_end_matches('/');
        let below = format!(":/{}*.rs", Path::new(folder).join(sources).join("").display());
        if folder.is_empty() {
            continue;
        }
        for source in words(git(&["ls-files", "--full-name", "--", &below]))?.lines() {
            let text = std::fs::read_to_string(root.join(source))?;
            named.entry(folder.to_owned()).or_default().extend(elsewhere(&text, source, folder));
        }
    }
    Ok(named)
}

/// The beginnings of paths that a source names outside of its crate's folder: what it includes is said from where the source
/// is (`"../../events/`), and what it reads from where its crate is (`"/../../events/`).
fn elsewhere(text: &str, source: &str, folder: &str) -> BTreeSet<String> {
    let here = Path::new(source).parent().unwrap_or(Path::new(""));
    let mut found = BTreeSet::new();
    for (start, from) in [("\"../", here), ("\"/../", Path::new(folder))] {
        for (at, _) in text.match_indices(start) {
            let literal = &text[at + 1..];
            let end = literal.find(['"', '{', '\\']).unwrap_or(literal.len());
            let said = literal[..end].trim_start_matches('/');
            let Some(mut path) = normal(&from.join(said)) else { continue };
            if said.ends_with('/') {
                path.push('/');
            }
            // Who names the whole repository says nothing.
            let is_own =
                path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            if !path.is_empty() && !is_own {
                found.insert(path);
            }
        }
    }
    found
}

/// A path from the root of the repository without `..`; none where it leads out of it.
fn normal(path: &Path) -> Option<String> {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                if !normal.pop() {
                    return None;
                }
            }
            Component::Normal(name) => normal.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(normal.to_str()?.to_owned())
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

    const KERNEL: &str = r#"include_str!("../../../events/operation.json"), include_str!("../migrations/1.sql"), "../../../../etc/passwd","#;

    fn reached_by(file: &str) -> bool {
        let events = elsewhere(KERNEL, "shared/kernel/src/cx.rs", "shared/kernel");
        let named = BTreeMap::from([("shared/kernel".to_owned(), events)]);
        Change { files: vec![file.to_owned()], crates: BTreeSet::new(), named }.reaches(TREE, "/code")
    }

    #[test]
    fn a_service_is_reached_by_what_its_artifact_is_built_from_and_by_nothing_else() {
        assert!(reached_by("shared/kernel/src/money.rs"));
        assert!(reached_by("Cargo.toml"));
        assert!(reached_by("events/operation.json"), "a source includes it");
        assert!(!reached_by("events/payment.json"), "another crate's");
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
        let lock = || vec!["Cargo.lock".to_owned()];
        let change = Change { files: lock(), crates: &now - &before, named: BTreeMap::new() };
        assert!(change.reaches(TREE, "/code"));
        let other =
            Change { files: lock(), crates: BTreeSet::from(["lapin 4.0.0".into()]), named: BTreeMap::new() };
        assert!(!other.reaches(TREE, "/code"));
    }

    #[test]
    fn the_commit_to_compare_with_must_be_said() {
        let parsed = |line: &str| Affected::parse(line.split_whitespace().map(str::to_owned));
        assert_eq!(parsed("--since main"), Ok(Affected { since: "main".into(), what: What::Services }));
        assert_eq!(parsed("--packages"), Err("affected needs --since COMMIT".into()));
    }

    #[test]
    fn a_file_elsewhere_is_named_from_the_source_or_from_its_crate() {
        let named = |text: &str| elsewhere(text, "functions/payments/src/events.rs", "functions/payments");
        let only = |path: &str| BTreeSet::from([path.to_owned()]);
        assert_eq!(named(r#"include_str!(concat!("../../../events/", $kind))"#), only("events/"));
        assert_eq!(
            named(r#"concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/x.json")"#),
            only("infra/x.json")
        );
        assert_eq!(named(r#"include_str!("../migrations/1.sql"), "/../..", "/a/../b""#), BTreeSet::new());
    }

    #[test]
    fn the_sources_of_this_checkout_name_their_events() {
        // Which files there are is asked of git, which not every machine has that runs these tests.
        if florin_servers::find_program(&["git"]).is_none() {
            eprintln!("skipped: git is not installed");
            return;
        }
        let root = crate::bring::workspace();
        let named = named_elsewhere(&root, "src").unwrap();
        assert!(named["functions/payments"].contains("events/"), "{:?}", named["functions/payments"]);
        assert!(named["shared/kernel"].contains("events/florin.audit.operation.v1.example.json"));
        assert!(!named.contains_key("functions/audit") || named["functions/audit"].is_empty());
    }

    #[test]
    fn every_folder_of_infra_has_a_target_that_looks_at_it() {
        for entry in std::fs::read_dir(crate::bring::workspace().join("infra")).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let reached = targets(&[format!("infra/{name}/x")]);
            assert!(!entry.path().is_dir() || reached.len() > 1, "infra/{name}: {reached:?}");
        }
        assert_eq!(targets(&["infra/README.md".into(), "functions/audit/src/lib.rs".into()]), ["docs"]);
        assert_eq!(targets(&["xtask/src/infra/helm.rs".into()]), ["helm"]);
        assert!(targets(&["xtask/src/infra/check.rs".into()]).contains(&"terraform"));
        assert!(
            TARGETS.iter().flat_map(|(_, targets)| *targets).all(|it| infra::names().any(|name| name == *it))
        );
    }
}
