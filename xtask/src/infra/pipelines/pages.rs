//! Whether Prometheus understands what the script `pages` asks, and answers with the alerts that began with the canary alone.

use std::fs;
use std::process::Command;

use florin_servers::find_program;

use super::{skipped_where_missing, text};
use crate::infra::check::{Outcome, infra, output};
use crate::infra::kubernetes::Scratch;
use crate::problem::Problem;

/// A process that is away from the sixth minute on: its alert begins then, and wakes somebody two minutes later.
const SERIES: &str = "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n      \
                      - series: 'up{job=\"florin\",instance=\"a\"}'\n        values: '1x5 0x20'\n    promql_expr_test:\n";

/// What is answered in the fifteenth minute when the alert counts.
const FIRING: &str = "[{labels: 'ALERTS{alertname=\"FlorinDown\",alertstate=\"firing\",instance=\"a\",job=\"florin\",severity=\"page\"}', value: 1}]";

/// Seconds at which a canary began, and what is answered then.
const BEGAN: &[(u32, &str)] = &[(300, FIRING), (600, "[]")];

pub(super) fn run() -> Result<Outcome, Problem> {
    skipped_where_missing(understood())
}

fn understood() -> Result<String, Problem> {
    let promtool = find_program(&["promtool"])
        .ok_or_else(|| Problem::Missing("promtool is not installed (Debian: prometheus)".into()))?;
    let script = fs::read_to_string(text::github().join("deploy/pages"))?;
    let query = script.lines().find_map(|line| line.strip_prefix("query=\"")?.strip_suffix('"'));
    let query = query
        .ok_or_else(|| Problem::Failed("pages has no line `query=\"...\"`".to_owned()))?
        .replace("\\\"", "\"");
    let scratch = Scratch::make()?;
    fs::copy(infra().join("observability/prometheus/rules.yml"), scratch.path().join("rules.yml"))?;
    let mut test = SERIES.to_owned();
    for (began, answer) in BEGAN {
        let query = query.replace("$CANARY_BEGAN", &began.to_string());
        test.push_str(&format!(
            "      - expr: '{query}'\n        eval_time: 15m\n        exp_samples: {answer}\n"
        ));
    }
    let test = scratch.write("pages.yml", &test)?;
    output(Command::new(promtool).args(["test", "rules"]).arg(test))?;
    Ok(String::new())
}
