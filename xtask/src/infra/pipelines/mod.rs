//! `cargo xtask infra pipelines`: the workflows are sound, do what the project can do, and ship only what may be shipped.

mod bill;
mod broken;
mod commands;
mod dependencies;
mod lint;
mod on_github;
mod on_helm;
mod on_knative;
mod on_lambda;
mod pages;
mod programs;
mod services;
mod text;

pub(super) use services::catalog;

use super::check::{Check, DECLARED, Outcome, Target};
use crate::problem::Problem;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "pipelines",
    checks: &[
        DECLARED,
        Check {
            name: "workflows and scripts are sound (actionlint, shellcheck)",
            slow: false,
            run: lint::sound,
        },
        Check { name: "nothing that zizmor knows to be unsafe", slow: false, run: lint::safe },
        Check {
            name: "every action is a commit, with its version beside it",
            slow: false,
            run: lint::pinned,
        },
        Check { name: "every command, path and variable is there", slow: false, run: commands::run },
        Check {
            name: "every service of the catalog can be chosen and built",
            slow: false,
            run: services::run,
        },
        Check { name: "a release waits for its own service alone", slow: false, run: on_github::run },
        Check {
            name: "licences, bans and sources of what is built in",
            slow: false,
            run: dependencies::allowed,
        },
        Check {
            name: "nothing older follows, and what is called off ends",
            slow: true,
            run: on_github::acted,
        },
        Check { name: "no advisory against what is built in", slow: true, run: dependencies::advised },
        Check {
            name: "the alerts that end a canary are those that begin with it",
            slow: true,
            run: pages::run,
        },
        Check { name: "what a service is built from is said validly", slow: true, run: bill::run },
        Check { name: "what is wrong in a workflow is found", slow: true, run: broken::run },
        Check { name: "a service alone is released to an emulator of AWS", slow: true, run: on_lambda::run },
        Check {
            name: "a service alone is released to a stand-in of Knative",
            slow: true,
            run: on_knative::run,
        },
        Check {
            name: "a service alone is released to a stand-in of Kubernetes by Helm",
            slow: true,
            run: on_helm::run,
        },
    ],
};

/// A check that is skipped where its programs cannot be had.
fn skipped_where_missing(checked: Result<String, Problem>) -> Result<Outcome, Problem> {
    match checked {
        Ok(said) => Ok(Outcome::Passed(said)),
        Err(Problem::Missing(why)) => Ok(Outcome::Skipped(why)),
        Err(problem) => Err(problem),
    }
}
