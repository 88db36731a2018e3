//! Who waits for whom at GitHub: what is said there is read, and whether a release is too late is asked of a stand-in.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use florin_servers::find_program;

use super::on_helm::until;
use super::{lint, skipped_where_missing, text};
use crate::infra::check::{Outcome, output};
use crate::infra::kubernetes::Scratch;
use crate::problem::Problem;

/// What stands in the place of GitHub's client: the runs, and the jobs of each.
const GH: &str = "#!/bin/sh\ncase \"$1 $2\" in\n  \"run list\") cat runs ;;\n  \"api --paginate\") cat \"jobs of $(echo \"$3\" | cut -d/ -f6)\" ;;\nesac\n";

/// A file, and what stands in it so that nobody waits for nothing and nobody is called off by a stranger.
const SAID: &[(&str, &str)] = &[
    // At the job that deploys: around a whole workflow it would hold the group while somebody is to agree.
    (
        "workflows/deploy.yml",
        "\n    concurrency:\n      group: deploy-${{ inputs.environment }}-${{ inputs.service }}\n      cancel-in-progress: false\n      queue: max\n",
    ),
    (
        "workflows/rollback.yml",
        "\n    concurrency:\n      group: deploy-${{ inputs.environment }}-${{ inputs.service }}\n      cancel-in-progress: false\n      queue: max\n",
    ),
    ("workflows/service.yml", "\n    name: agreed\n    needs: staging\n"),
    ("workflows/service.yml", "\n    name: production\n    needs: [image, agreed]\n"),
    // Where the script looks for these names.
    ("workflows/release.yml", "\n    name: ${{ matrix.service }}\n"),
    ("workflows/deploy.yml", "\n  deploy:\n    name: deploy\n"),
];

pub(super) fn run() -> Result<Outcome, Problem> {
    turns(&text::github()).map(Outcome::Passed)
}

/// What the scripts do of it; they need jq and pgrep, which not every machine has that looks at the workflows.
pub(super) fn acted() -> Result<Outcome, Problem> {
    skipped_where_missing(not_too_late().and_then(|late| Ok(format!("{late}, {}", called_off()?))))
}

/// Whether releases wait only for the same service in the same environment.
pub(super) fn turns(github: &Path) -> Result<String, Problem> {
    for (file, said) in SAID {
        if !fs::read_to_string(github.join(file))?.contains(said) {
            return Err(Problem::Failed(format!("{file} does not say `{}`", said.trim())));
        }
    }
    for file in ["release", "service", "deploy", "rollback"] {
        if fs::read_to_string(github.join(format!("workflows/{file}.yml")))?.contains("\nconcurrency:") {
            return Err(Problem::Failed(format!("{file}.yml: all of it waits, for somebody's word too")));
        }
    }
    Ok("one service in one environment".to_owned())
}

/// What stands in the place of a script of a platform: it asks something that takes long, as `retry` does, and tells its number.
const LONG: &str =
    "set -euo pipefail\nsource \"$CHILDREN\"\nexec 3>&1\nsaid=$(bash -c 'echo $$ >&3; exec sleep 60')\n";

/// Whether what a step began ends with it, when GitHub tells its first process alone.
fn called_off() -> Result<String, Problem> {
    find_program(&["pgrep"]).ok_or_else(|| Problem::Missing("pgrep is not installed".to_owned()))?;
    let scratch = Scratch::make()?;
    let script = scratch.write("long", LONG)?;
    let mut step = Command::new("bash");
    step.args(["-e", "-c", &format!("exec bash {}", script.display())]);
    step.env("CHILDREN", text::github().join("deploy/children")).stdout(Stdio::piped());
    let mut step = step.spawn()?;
    let mut began = String::new();
    BufReader::new(step.stdout.take().expect("it is piped")).read_line(&mut began)?;
    output(Command::new("bash").args(["-c", &format!("kill -TERM {}", step.id())]))?;
    step.wait()?;
    until("the end of what a cancelled step began", || {
        Ok(match fs::read_to_string(format!("/proc/{}/stat", began.trim())) {
            Ok(stat) => stat.contains(") Z "),
            Err(_) => true,
        })
    })?;
    Ok("what a step began ends with it".to_owned())
}

fn not_too_late() -> Result<String, Problem> {
    find_program(&["jq"]).ok_or_else(|| Problem::Missing("jq is not installed".to_owned()))?;
    let scratch = Scratch::make()?;
    let program = scratch.write("gh", GH)?;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
    scratch.write("runs", r#"[{"databaseId": 73, "number": 3}, {"databaseId": 72, "number": 2}, {"databaseId": 71, "number": 1}]"#)?;
    let jobs = |number: u32, ended: &str| {
        let jobs = ["payments / staging / deploy", "payments / production / deploy"].map(|name| {
            let ended = if name.contains("staging") { "success" } else { ended };
            format!(r#"{{"name": "{name}", "conclusion": "{ended}", "html_url": "run {number}"}}"#)
        });
        scratch.write(&format!("jobs of {number}"), &format!(r#"{{"jobs": [{}]}}"#, jobs.join(",")))
    };
    jobs(71, "success")?;
    jobs(72, "success")?;
    jobs(73, "failure")?;
    let asked = |service: &str, number: &str| {
        let mut script = Command::new(text::github().join("deploy/later"));
        script.current_dir(scratch.path()).env("PATH", lint::search_path(&[scratch.path()])?);
        script.env("SERVICE", service).env("ENVIRONMENT", "production").env("GITHUB_RUN_NUMBER", number);
        output(script.env("GITHUB_REPOSITORY", "shop/florin").env("GITHUB_REF_NAME", "main"))
    };
    // Itself once more, after one that failed, and a neighbour.
    for (service, number) in [("payments", "2"), ("payments", "3"), ("audit", "1")] {
        asked(service, number)?;
    }
    match asked("payments", "1") {
        Err(Problem::Failed(said)) if said.contains("production has a later payments: run 72") => {}
        other => return Err(Problem::Failed(format!("what is older follows: {other:?}"))),
    }
    Ok("an older release does not follow a later one".to_owned())
}
