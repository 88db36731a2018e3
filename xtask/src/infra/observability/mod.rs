//! `cargo xtask infra observability`: rules and dashboards ask for what there is, alerts are tested both ways, and the
//! collectors' configurations hold together.

mod collectors;
mod programs;
mod queries;
mod rules;
mod shown;

use super::check::{Check, DECLARED, Target};

/// The target.
pub(super) const TARGET: Target = Target {
    name: "observability",
    checks: &[
        DECLARED,
        Check { name: "the rules are valid and their tests pass", slow: false, run: rules::tested },
        Check { name: "every rule and panel asks for what there is", slow: false, run: queries::sound },
        Check { name: "the dashboards are what Grafana's types say", slow: false, run: queries::typed },
        Check {
            name: "the collectors' configurations hold together",
            slow: false,
            run: collectors::configurations,
        },
        Check {
            name: "the collectors' manifests are valid and careful",
            slow: false,
            run: collectors::manifests,
        },
        Check { name: "what is wrong in a query is found", slow: true, run: queries::found },
        Check { name: "what is wrong in a configuration is found", slow: true, run: collectors::found },
        Check { name: "each alert is tested to fire and to keep still", slow: true, run: rules::each_alert },
        Check { name: "a running suite answers the panels", slow: true, run: shown::run },
    ],
};
