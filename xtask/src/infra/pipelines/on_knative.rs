//! One service released to a stand-in of Knative by the script that the pipeline runs. The stand-in knows what the script asks,
//! and no cluster: what an admission refuses, or how long a revision takes, it does not tell.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use florin_servers::find_program;

use super::{lint, skipped_where_missing, text};
use crate::infra::check::{Outcome, infra, output};
use crate::infra::kubernetes::{Programs, Scratch};
use crate::problem::Problem;
use crate::tools;

/// The stand-in.
const KUBECTL: &str = include_str!("kubectl.py");

/// What is deployed: two Knative Services of the service, and another service's.
const DEPLOYED: &[&str] = &["florin-payments", "florin-payments-deliveries", "florin-audit"];

/// The Deployments of Florin's own consumer: the service's, and the other one's.
const WORKERS: &[&str] = &["florin-payments-worker", "florin-audit-worker"];

/// How a person brings a changed setting.
const APPLY: &[&str] = &["apply", "infra/knative/overlays/worker"];

/// How traffic is shown: revision and per cent of each target that gets some.
const SHOWN: &str = r#"[.[] | .status.traffic | map(select(.percent > 0) | "\(.revisionName[-5:]) \(.percent)") | join(", ")] | join("; ")"#;

pub(super) fn run() -> Result<Outcome, Problem> {
    skipped_where_missing(release())
}

fn release() -> Result<String, Problem> {
    let site = Site::open()?;
    site.script("migrate", "1")?;
    let applied = fs::read_to_string(site.scratch.path().join("applied.yaml"))?;
    for wanted in [
        "name: florin-migrate-payments\n",
        "namespace: florin\n",
        "image: registry.example/florin-payments@sha256:1111",
    ] {
        if !applied.contains(wanted) {
            return Err(Problem::Failed(format!("the migration has no `{wanted}`:\n{applied}")));
        }
    }

    site.script("remember", "1")?;
    site.script("canary", "1")?;
    site.gets("00001 90, 00002 10; 00001 100; 00001 100")?;
    site.script("rollback", "1")?;
    site.gets("00001 100; 00001 100; 00001 100")?;
    site.runs("0000 0000 0000; 0000 0000")?;

    site.script("remember", "2")?;
    site.script("canary", "2")?;
    site.gets("00001 90, 00004 10; 00001 100; 00001 100")?;
    site.runs("2222 0000 0000; 0000 0000")?;
    site.script("promote", "2")?;
    site.gets("00004 100; 00002 100; 00001 100")?;
    site.runs("2222 2222 0000; 2222 0000")?;
    // The container is what it was, but for its image.
    same(
        "the variables",
        &site.state("[.[].spec.template.spec.containers[0].env[0].value] | join(\" \")")?,
        "kept kept kept",
    )?;
    // What ran before is 1, and not 2, which was taken back.
    site.script("rollback", "2")?;
    site.gets("00001 100; 00001 100; 00001 100")?;
    site.runs("0000 0000 0000; 0000 0000")?;
    what_never_gets_ready_is_taken_back()?;
    what_runs_stays_when_a_person_changes_the_rest()?;
    Ok("migration, canary, promotion and rollback of 2 Services of 3 and 1 worker of 2, after failures too"
        .to_owned())
}

fn what_never_gets_ready_is_taken_back() -> Result<(), Problem> {
    let site = Site::open()?;
    site.scratch.write("closed", "florin-payments 1111\nflorin-payments-deliveries 3333")?;
    site.script("remember", "1")?;
    site.fails("canary", "1")?;
    site.script("rollback", "1")?;
    site.gets("00001 100; 00001 100; 00001 100")?;
    site.runs("0000 0000 0000; 0000 0000")?;
    // Where nobody took it back the next release goes its way.
    site.script("remember", "1")?;
    site.fails("canary", "1")?;
    for verb in ["remember", "canary", "promote"] {
        site.script(verb, "2")?;
    }
    site.runs("2222 2222 0000; 2222 0000")?;
    // The deliveries fail alone, and both are taken back.
    site.script("remember", "3")?;
    site.script("canary", "3")?;
    site.fails("promote", "3")?;
    site.script("rollback", "3")?;
    site.runs("2222 2222 0000; 2222 0000")?;
    site.gets("00005 100; 00002 100; 00001 100")
}

/// A setting is applied and a secret changed, before a release, after one and after its rollback: the images stay.
fn what_runs_stays_when_a_person_changes_the_rest() -> Result<(), Problem> {
    let site = Site::open()?;
    let functions = "[.[].spec.template.spec.containers[0].env[0].value] | join(\" \")";
    site.by_hand()?;
    site.runs("0000 0000 0000; 0000 0000")?;
    same("the variables", &site.state(functions)?, "payments.* kept audit.*")?;
    for verb in ["remember", "canary"] {
        site.script(verb, "1")?;
    }
    // While a release is under way the newest revision is not what runs.
    for told in [&["refresh"], APPLY] {
        match site.told(told, "1") {
            Err(Problem::Failed(said)) if said.contains("a release is under way") => {}
            other => return Err(Problem::Failed(format!("{told:?} of a canary: {other:?}"))),
        }
    }
    site.script("promote", "1")?;
    site.by_hand()?;
    site.runs("1111 1111 0000; 1111 0000")?;
    site.script("rollback", "1")?;
    site.runs("0000 0000 0000; 0000 0000")?;
    let ran = site.state(SHOWN)?;
    site.by_hand()?;
    site.runs("0000 0000 0000; 0000 0000")?;
    if site.state(SHOWN)? == ran {
        return Err(Problem::Failed(format!("the requests stay with what ran before: {ran}")));
    }
    let log = fs::read_to_string(site.scratch.path().join("log"))?;
    same(
        "restarts",
        &log.matches("rollout restart deployment.apps/florin-payments-worker").count().to_string(),
        "3",
    )
}

/// A directory with the state, a copy of what is applied, and the stand-in under kubectl's name.
struct Site {
    scratch: Scratch,
    kubectl: PathBuf,
    jq: PathBuf,
}

impl Site {
    fn open() -> Result<Self, Problem> {
        let kubectl = Programs::bring()?.kubectl;
        let jq = find_program(&["jq"]).ok_or_else(|| Problem::Missing("jq is not installed".to_owned()))?;
        let scratch = Scratch::make()?;
        let python = tools::python()?;
        let stand_in = scratch.write("kubectl.py", KUBECTL)?;
        let program = scratch.write(
            "kubectl",
            &format!("#!/bin/sh\nexec {} {} \"$@\"\n", python.display(), stand_in.display()),
        )?;
        fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
        fs::create_dir(scratch.path().join("infra"))?;
        output(Command::new("cp").arg("-R").arg(infra().join("knative")).arg(scratch.path().join("infra")))?;
        let services: Vec<String> = DEPLOYED.iter().map(|name| deployed(name)).collect();
        scratch.write("ksvc.json", &format!("{{{}}}", services.join(",")))?;
        let workers: Vec<String> = WORKERS
            .iter()
            .map(|name| format!(r#""{name}": {{"spec": {{"template": {{"spec": {SPEC}}}}}}}"#))
            .collect();
        scratch.write("deployment.json", &format!("{{{}}}", workers.join(",")))?;
        Ok(Self { scratch, kubectl, jq })
    }

    fn script(&self, verb: &str, digit: &str) -> Result<String, Problem> {
        self.told(&[verb], digit)
    }

    /// A setting is applied, and a secret changes.
    fn by_hand(&self) -> Result<(), Problem> {
        self.told(APPLY, "")?;
        self.told(&["refresh"], "").map(drop)
    }

    fn told(&self, words: &[&str], digit: &str) -> Result<String, Problem> {
        let mut script = Command::new(text::github().join("deploy/knative"));
        let here = self.scratch.path();
        script.args(words).current_dir(here).env("PATH", lint::search_path(&[here])?);
        script.env("STATE", here).env("KUBECTL", &self.kubectl);
        script.env("SERVICE", "payments").env("FLORIN_NAMESPACE", "florin").env("FLORIN_CLUSTER", "");
        script
            .env("IMAGE", "registry.example/florin-payments")
            .env("DIGEST", format!("sha256:{}", digit.repeat(64)));
        output(script.env("CANARY_PERCENT", "10"))
    }

    /// Whether the script says that something did not get ready.
    fn fails(&self, verb: &str, digit: &str) -> Result<(), Problem> {
        match self.script(verb, digit) {
            Err(Problem::Failed(said)) if said.contains("timed out waiting") => Ok(()),
            other => Err(Problem::Failed(format!("{verb} of what never gets ready: {other:?}"))),
        }
    }

    /// Whether the Services, in the order of [`DEPLOYED`], and the [`WORKERS`] have these images in their templates, by
    /// their last letters.
    fn runs(&self, wanted: &str) -> Result<(), Problem> {
        let images = "[.[].spec.template.spec.containers[0].image[-4:]] | join(\" \")";
        let workers = self.read("deployment.json", images)?;
        same("the images", &format!("{}; {workers}", self.state(images)?), wanted)
    }

    /// Whether the Services, in the order of [`DEPLOYED`], send their requests there.
    fn gets(&self, wanted: &str) -> Result<(), Problem> {
        same("the requests", &self.state(SHOWN)?, wanted)
    }

    fn state(&self, filter: &str) -> Result<String, Problem> {
        self.read("ksvc.json", filter)
    }

    fn read(&self, file: &str, filter: &str) -> Result<String, Problem> {
        let state: &Path = &self.scratch.path().join(file);
        Ok(output(Command::new(&self.jq).args(["--raw-output", filter]).arg(state))?.trim().to_owned())
    }
}

/// What a pod is made of.
const SPEC: &str = r#"{"containers": [{"name": "florin", "image": "florin@sha256:0000",
    "env": [{"name": "FLORIN_FUNCTIONS", "value": "kept"}]}]}"#;

/// A Knative Service with one revision that gets everything, as the cluster would show it.
fn deployed(name: &str) -> String {
    format!(
        r#""{name}": {{"spec": {{"template": {{"metadata": {{"annotations": {{}}}}, "spec": {SPEC}}}}},
            "revisions": {{"{name}-00001": {{"spec": {SPEC}}}}},
            "status": {{"conditions": {{"Ready": true, "RoutesReady": true}}, "traffic": [{{"latestRevision": true, "percent": 100, "revisionName": "{name}-00001"}}]}}}}"#
    )
}

/// Whether this is seen.
pub(super) fn same(what: &str, seen: &str, wanted: &str) -> Result<(), Problem> {
    if seen == wanted {
        return Ok(());
    }
    Err(Problem::Failed(format!("{what}: {seen}\nand not {wanted}")))
}
