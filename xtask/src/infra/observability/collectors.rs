//! The collectors' configurations, and the manifests that run them on Kubernetes.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::programs::{directory, files, refused, script, skipped_where_missing};
use crate::infra::check::{Outcome, infra, output};
use crate::infra::kubernetes::{Broken, Scratch, with};
use crate::problem::Problem;

/// What can be said of a configuration without the collector, which no package that one could trust carries.
pub(super) fn configurations() -> Result<Outcome, Problem> {
    skipped_where_missing(files("collector", "yaml").and_then(|mut configurations| {
        configurations.retain(|path| !path.ends_with("kustomization.yaml"));
        output(&mut read(&compose(), &configurations)?)
    }))
}

fn compose() -> PathBuf {
    infra().join("containers/compose.yaml")
}

fn read(compose: &Path, configurations: &[PathBuf]) -> Result<Command, Problem> {
    let mut script = script("configurations.py")?;
    script.arg(compose).arg(infra().join("containers")).args(configurations);
    Ok(script)
}

/// What may be wrong in a configuration, and the words that name it.
const CONFIGURATIONS: &[Broken] = &[
    Broken { from: "[filelog]", to: "[filelogs]", words: "filelogs is named and not configured" },
    Broken { from: "storage: file_storage", to: "storage: file_store", words: "which is no extension" },
    Broken { from: "on_error:", to: "on_errors:", words: "json_parser has no on_errors" },
    Broken { from: "[memory_limiter, ", to: "[", words: "does not begin with the memory_limiter" },
    Broken { from: "logs_index:", to: "log_index:", words: "elasticsearch has no log_index" },
    Broken { from: "mode: bodymap }", to: "mode: bodymap, mode: ecs }", words: "mode is said twice" },
];

/// The same of the compose file.
const COMPOSE: &[Broken] = &[
    Broken { from: "collector/gateway.yaml", to: "collector/gate.yaml", words: "collector: there is no" },
    Broken { from: ", ELASTICSEARCH_API_KEY: \"\"", to: "", words: "asks for" },
];

pub(super) fn found() -> Result<Outcome, Problem> {
    skipped_where_missing(find())
}

fn find() -> Result<String, Problem> {
    let scratch = Scratch::make()?;
    let sound = directory().join("collector/logs-docker.yaml");
    for (of, broken) in [(&sound, CONFIGURATIONS), (&compose(), COMPOSE)] {
        let whole = std::fs::read_to_string(of)?;
        for Broken { from, to, words } in broken {
            if !whole.contains(from) {
                return Err(Problem::Failed(format!("`{from}` is no longer there to be broken")));
            }
            let wrong = scratch.write("wrong.yaml", &whole.replace(from, to))?;
            let mut read = if *of == sound {
                read(&compose(), &[wrong])?
            } else {
                read(&wrong, std::slice::from_ref(&sound))?
            };
            refused(&mut read, if to.is_empty() { from } else { to }, words)?;
        }
    }
    Ok(format!("{} mistakes", CONFIGURATIONS.len() + COMPOSE.len()))
}

/// What is asked of every pod and cannot be had by one that reads the logs of a node.
const EXCEPTIONS: &[&str] = &[
    "DaemonSet florin-logs: the pod must run as non-root",
    "DaemonSet florin-logs: volume pods is the host's",
    "DaemonSet florin-logs: volume position is the host's",
    "DaemonSet florin-logs: container otelcol: runAsNonRoot must be true",
];

/// Valid and careful, but for those exceptions.
pub(super) fn manifests() -> Result<Outcome, Problem> {
    with(|programs| {
        let scratch = Scratch::make()?;
        let mut kustomize = Command::new(&programs.kubectl);
        let rendered = output(kustomize.arg("kustomize").arg(directory().join("collector")))?;
        let manifests = scratch.write("collectors.yaml", &rendered)?;
        let said = match programs.check(&manifests, &["manifests", "Secret/florin-elasticsearch"]) {
            Err(Problem::Failed(said)) => said,
            Ok(_) => return Err(Problem::Failed("the exceptions are none any more".to_owned())),
            Err(problem) => return Err(problem),
        };
        // The first line is the command that failed.
        let problems: Vec<&str> =
            said.lines().skip(1).filter(|line| !EXCEPTIONS.contains(&line.trim())).collect();
        if problems.is_empty() {
            return Ok(format!("{} exceptions", EXCEPTIONS.len()));
        }
        Err(Problem::Failed(problems.join("\n")))
    })
}
