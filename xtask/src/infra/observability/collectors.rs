//! The collectors' configurations, and the manifests that run them on Kubernetes.

use std::process::Command;

use super::programs::{directory, files, script, skipped_where_missing};
use crate::infra::check::{Outcome, infra, output};
use crate::infra::kubernetes::{Scratch, with};
use crate::problem::Problem;

/// What can be said of a configuration without the collector, which no package that one could trust carries.
pub(super) fn configurations() -> Result<Outcome, Problem> {
    skipped_where_missing(script("configurations.py").and_then(|mut script| {
        let configurations = files("collector", "yaml")?;
        let collectors = configurations.iter().filter(|path| !path.ends_with("kustomization.yaml"));
        script.arg(infra().join("containers/compose.yaml")).args(collectors);
        output(&mut script)
    }))
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
