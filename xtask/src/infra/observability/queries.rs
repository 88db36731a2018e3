//! Rules and dashboards ask for metrics and labels that there are, and the dashboards are what Grafana reads.

use std::process::Command;

use florin_servers::find_program;

use super::programs::{directory, files, queries, refused, script, skipped_where_missing};
use super::rules;
use crate::infra::check::{Outcome, output};
use crate::infra::kubernetes::{Broken, Scratch};
use crate::problem::Problem;
use crate::{command, tools};

/// The npm packages.
const TYPES: &str = include_str!("../../../../infra/observability/package.json");

pub(super) fn sound() -> Result<Outcome, Problem> {
    skipped_where_missing(queries(&rules::path()).and_then(|mut queries| output(&mut queries)))
}

/// What may be wrong in a rule, and the words that name it.
const RULES: &[Broken] = &[
    Broken {
        from: "florin_outbox_age_seconds",
        to: "florin_outbox_age",
        words: "FlorinOutboxOld: there is no florin_outbox_age\n",
    },
    Broken {
        from: "max by (florin_function) (florin_queue_age",
        to: "max by (florin_service) (florin_queue_age",
        words: "FlorinQueueOld: nothing has florin_service there",
    },
    Broken {
        from: "{http_response_status_code=~\"5..\"}[5m]",
        to: "{status=~\"5..\"}[5m]",
        words: "has no status",
    },
    Broken { from: "$labels.server_address", to: "$labels.peer", words: "a text shows peer" },
    Broken { from: "http_route, le)", to: "http_route)", words: "histogram_quantile needs le" },
    Broken {
        from: "and florin:http_server_errors:ratio_rate6h",
        to: "and florin:http_server_errors:ratio_rate7h",
        words: "FlorinErrorBudgetLeaks: there is no florin:http_server_errors:ratio_rate7h",
    },
];

/// What may be wrong in a dashboard. The first check that reads queries finds the first, the types the others.
const DASHBOARDS: &[Broken] = &[
    Broken { from: "florin_outbox_depth{", to: "florin_outbox{", words: "there is no florin_outbox\n" },
    Broken { from: "{{florin_service}}", to: "{{service}}", words: "a text shows service" },
    Broken { from: "\"drawStyle\": \"line\"", to: "\"drawStyle\": \"lines\"", words: "is no GraphDrawStyle" },
    Broken { from: "\"showPoints\"", to: "\"showPoint\"", words: "nobody knows showPoint" },
    Broken {
        from: "\"colorMode\": \"value\"",
        to: "\"colorMode\": \"values\"",
        words: "is no BigValueColorMode",
    },
    Broken { from: "\"showLegend\"", to: "\"showLegends\"", words: "showLegend is missing" },
    Broken { from: "\"schemaVersion\": 41", to: "\"schemaVersion\": \"41\"", words: "is no number" },
    Broken { from: "\"type\": \"stat\"", to: "\"type\": \"stats\"", words: "nobody checks a stats" },
];

pub(super) fn found() -> Result<Outcome, Problem> {
    skipped_where_missing(find())
}

fn find() -> Result<String, Problem> {
    let scratch = Scratch::make()?;
    let broken = |of: &str, by: &Broken| {
        if of.contains(by.from) {
            return Ok(of.replace(by.from, by.to));
        }
        Err(Problem::Failed(format!("`{}` is no longer there to be broken", by.from)))
    };
    let whole = std::fs::read_to_string(rules::path())?;
    for one in RULES {
        let rules = scratch.write("rules.yml", &broken(&whole, one)?)?;
        refused(&mut queries(&rules)?, one.to, one.words)?;
    }
    let whole = std::fs::read_to_string(directory().join("grafana/queues.json"))?;
    for (index, one) in DASHBOARDS.iter().enumerate() {
        let dashboard = scratch.write("queues.json", &broken(&whole, one)?)?;
        if index < 2 {
            let mut script = script("queries.py")?;
            script.arg(directory().join("metrics.json")).arg(rules::path()).arg(dashboard);
            refused(&mut script, one.to, one.words)?;
        } else {
            refused(types()?.arg(dashboard), one.to, one.words)?;
        }
    }
    Ok(format!("{} mistakes", RULES.len() + DASHBOARDS.len()))
}

/// Every panel against the types that Grafana publishes for its plugin.
pub(super) fn typed() -> Result<Outcome, Problem> {
    skipped_where_missing(types().and_then(|mut types| output(types.args(files("grafana", "json")?))))
}

fn types() -> Result<Command, Problem> {
    let missing = |name: &str| Problem::Missing(format!("{name} is not installed"));
    let node = find_program(&["node"]).ok_or_else(|| missing("node"))?;
    let npm = find_program(&["npm"]).ok_or_else(|| missing("npm"))?;
    let modules = tools::installed("grafana-types", TYPES, |directory| {
        std::fs::create_dir_all(directory)?;
        std::fs::write(directory.join("package.json"), TYPES)?;
        let mut install = Command::new(npm);
        install.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]);
        command::run(install.current_dir(directory))
    })?;
    let mut types = Command::new(node);
    types.arg(directory().join("dashboards.mjs")).arg(modules);
    Ok(types)
}
