//! Calls to peers: what has no outcome yet, what a person must look at, and how the peers answer.

use florin_kernel::metric::{
    EFFECT_FAILURES, EFFECTS_AGE, EFFECTS_DEPTH, EFFECTS_NEED_REVIEW, FUNCTION, HTTP_CLIENT_DURATION, SERVICE,
};

use super::panel::{Panel, Row};
use super::query::{Query, UNANSWERED};

const PEER: &str = "server.address";

const OLD: &[(f64, &str)] = &[(120.0, "orange"), (600.0, "red")];
const ANY: &[(f64, &str)] = &[(1.0, "red")];
const FAILING: &[(f64, &str)] = &[(0.05, "orange"), (0.5, "red")];

pub(super) fn rows() -> Vec<Row> {
    let calls = &HTTP_CLIENT_DURATION;
    vec![
        Row {
            title: "At a glance",
            panels: vec![
                Panel::number("Need a person", Query::now(&EFFECTS_NEED_REVIEW, &[SERVICE])).thresholds(ANY).says(
                    "Nobody knows whether money moved: `florin effects list`, look at the provider under the key it names, `florin effects retry`.",
                ),
                Panel::number("Oldest without an outcome", Query::now(&EFFECTS_AGE, &[SERVICE])).thresholds(OLD),
                Panel::number("Without an outcome", Query::now(&EFFECTS_DEPTH, &[SERVICE])),
                Panel::number("Calls that fail", Query::share(calls, UNANSWERED, &[])).thresholds(FAILING),
            ],
        },
        Row {
            title: "Effects",
            panels: vec![
                Panel::lines("Without an outcome", Query::now(&EFFECTS_DEPTH, &[SERVICE]))
                    .says("Counted up to 10000."),
                Panel::lines("Oldest of them", Query::now(&EFFECTS_AGE, &[SERVICE])).thresholds(OLD),
                Panel::lines("Need a person", Query::now(&EFFECTS_NEED_REVIEW, &[SERVICE])).thresholds(ANY),
                Panel::lines("Attempts without an outcome", Query::rate(&EFFECT_FAILURES, &[FUNCTION])),
            ],
        },
        Row {
            title: "Peers",
            panels: vec![
                Panel::lines("Calls by peer", Query::rate(calls, &[PEER])),
                Panel::lines("Errors by peer", Query::share(calls, UNANSWERED, &[PEER]))
                    .thresholds(FAILING)
                    .says("As the alert FlorinPeerFails has it: a declined card (402) and a charge that is not there (404) are answers."),
                Panel::lines("Slowest hundredth by peer", Query::quantile(calls, "0.99", &[PEER])),
                Panel::stacked("Answers", Query::rate(calls, &[PEER, "http.response.status_code", "error.type"])),
                Panel::heatmap("How long calls take", Query::buckets(calls)),
            ],
        },
    ]
}
