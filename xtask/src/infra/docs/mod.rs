//! `cargo xtask infra docs`: what infra/README.md names is there.

mod own;
mod page;
mod terraform;
mod told;

use super::check::{Check, Outcome, Target};
use crate::problem::Problem;
use own::{commands, paths, scripts, tasks};
use terraform::terraform;
use told::told;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "docs",
    checks: &[
        Check { name: "paths and links lead somewhere", slow: false, run: || looked(paths) },
        Check { name: "the tasks of cargo xtask parse", slow: false, run: || looked(tasks) },
        Check { name: "commands, options and variables are florin's", slow: false, run: || looked(commands) },
        Check { name: "scripts of a release do what they are told", slow: false, run: || looked(scripts) },
        Check { name: "what Terraform is told is all it wants", slow: false, run: || looked(terraform) },
        Check { name: "what the platforms are told is theirs", slow: false, run: || looked(told) },
        Check { name: "what is wrong in the page is found", slow: true, run: found },
    ],
};
/// What a look at the page came to: what is not there, and how much was looked at.
type Seen = (Vec<String>, usize);

fn looked(look: fn(&str) -> Result<Seen, Problem>) -> Result<Outcome, Problem> {
    let (missing, count) = look(&page::read()?)?;
    if count == 0 {
        return Err(Problem::Failed("nothing was found to look at".to_owned()));
    }
    if missing.is_empty() {
        return Ok(Outcome::Passed(format!("{count} looked at")));
    }
    Err(Problem::Failed(format!("infra/README.md:\n{}", missing.join("\n"))))
}
/// What may be wrong in the page, and the words that name it.
const BROKEN: &[(&str, &str, &str)] = &[
    ("infra/knative/migration", "infra/knative/migrations", "there is no infra/knative/migrations"),
    ("](#watching-it)", "](#watching)", "there is no infra/#watching"),
    ("`cargo xtask infra helm`", "`cargo xtask infra helmet`", "there is no target `helmet`"),
    ("`florin migrate`", "`florin migrates`", "florin has no command migrates"),
    ("florin effects list ", "florin effects lists ", "florin effects has no command lists"),
    ("florin migrate --database-url", "florin migrate --database", "florin migrate has no option --database"),
    ("`FLORIN_AUDIENCE`", "`FLORIN_AUDIENCES`", "florin does not know FLORIN_AUDIENCES"),
    ("SERVICE=audit FLORIN_NAME", "SERVICE=payments FLORIN_NAME", "and the catalog has"),
    ("deploy/knative refresh", "deploy/knative refreshed", "deploy/knative has no verb refreshed"),
    ("FLORIN_NAME=florin .github", "FLORIN_NAMES=florin .github", "does not read FLORIN_NAMES"),
    ("-var card_url=", "-var card_address=", "`-var card_address`"),
    (" -var cluster_name=shop", "", "aws-kubernetes: apply is not given cluster_name"),
    ("output -raw broker_endpoint", "output -raw broker_host", "`output -raw broker_host`"),
    (
        "chdir=infra/terraform/aws-kubernetes ",
        "chdir=infra/terraform/eks ",
        "there is no infra/terraform/eks",
    ),
    ("--set identity.issuer=", "--set issuer=", "`--set issuer`"),
    ("--profile metrics", "--profile metric", "`--profile metric`"),
    ("job/florin-migrate", "job/migrate", "`job/migrate`"),
    ("`own_functions = ", "`functions_apart = ", "`functions_apart`"),
    ("`worker.keda.enabled`", "`worker.scaled.enabled`", "the chart has no such value"),
];

fn found() -> Result<Outcome, Problem> {
    let page = page::read()?;
    for (from, to, words) in BROKEN {
        if !page.contains(from) {
            return Err(Problem::Failed(format!("`{from}` is no longer there to be broken")));
        }
        let broken = page.replace(from, to);
        let mut said = Vec::new();
        for look in [paths, tasks, commands, scripts, terraform, told] {
            said.extend(look(&broken)?.0);
        }
        if !said.iter().any(|one| one.contains(words)) {
            let said = said.join("\n");
            return Err(Problem::Failed(format!("`{to}` for `{from}`: nobody says \"{words}\"\n{said}")));
        }
    }
    Ok(Outcome::Passed(format!("{} mistakes", BROKEN.len())))
}
