//! What callers see: rate, errors and duration by route and service, and what is left of the error budget.

use florin_kernel::metric::{HTTP_SERVER_DURATION, PUBLIC_REFUSALS, UNAUTHENTICATED};

use super::panel::{Panel, Row};
use super::query::{FAULTY, Query};

const ROUTE: &[&str] = &["http.request.method", "http.route"];

/// The share of failed requests that is the whole budget, and the one that pages (rules.yml).
const FAILING: &[(f64, &str)] = &[(0.001, "orange"), (0.0144, "red")];
const SLOW: &[(f64, &str)] = &[(1.0, "orange"), (5.0, "red")];
/// The paces of the four burn-rate alerts.
const BURNING: &[(f64, &str)] = &[(1.0, "yellow"), (3.0, "orange"), (6.0, "red"), (14.4, "dark-red")];

pub(super) fn rows() -> Vec<Row> {
    let all = &HTTP_SERVER_DURATION;
    let burn = |window: &str| {
        let promql = format!(
            "max by (florin_service) (florin:http_server_errors:ratio_rate{window}{{florin_service=~\"$service\"}}) / 0.001"
        );
        Query::recorded(&promql, &format!("{{{{florin_service}}}} {window}"), "none")
    };
    vec![
        Row {
            title: "At a glance",
            panels: vec![
                Panel::number("Requests", Query::rate(all, &[])),
                Panel::number("Failed", Query::share(all, FAULTY, &[])).thresholds(FAILING).says(
                    "The share of requests that ended with a fault of ours (5xx). The objective is 0.1 % in 30 days.",
                ),
                Panel::number("Slowest hundredth", Query::quantile(all, "0.99", &[])).thresholds(SLOW),
                Panel::number("Burn rate", burn("1h").called("{{florin_service}}"))
                    .thresholds(BURNING)
                    .says("How many times as fast as it lasts the error budget of 30 days was used in the last hour."),
            ],
        },
        Row {
            title: "By route",
            panels: vec![
                Panel::lines("Requests by route", Query::rate(all, ROUTE)),
                Panel::lines("Errors by route", Query::share(all, FAULTY, ROUTE))
                    .thresholds(FAILING)
                    .says("The share that ended with a fault of ours (5xx). The log has each fault once, under its trace."),
                Panel::lines("Slowest hundredth by route", Query::quantile(all, "0.99", ROUTE))
                    .thresholds(SLOW)
                    .says("A confirm waits for the card provider, up to FLORIN_WAIT_MS."),
                Panel::lines("Median by route", Query::quantile(all, "0.5", ROUTE)),
                Panel::stacked("Answers by status", Query::rate(all, &["http.response.status_code"])),
                Panel::heatmap("How long requests take", Query::buckets(all)),
                Panel::table(
                    "Routes",
                    &[
                        ("Requests", Query::rate(all, ROUTE)),
                        ("Failed", Query::share(all, FAULTY, ROUTE)),
                        ("Median", Query::quantile(all, "0.5", ROUTE)),
                        ("Slowest hundredth", Query::quantile(all, "0.99", ROUTE)),
                    ],
                ),
            ],
        },
        Row {
            title: "By service",
            panels: vec![
                Panel::stacked("Requests by service", Query::rate(all, &["florin.service"])),
                Panel::lines("Burn rate of the error budget", ["5m", "1h", "6h", "3d"].map(burn))
                    .thresholds(BURNING)
                    .says("Two windows of each alert must be above its line: 14.4 and 6 page, 3 and 1 make a ticket."),
            ],
        },
        Row {
            title: "Turned away",
            panels: vec![
                Panel::stacked("Tokens refused (401)", Query::rate(&UNAUTHENTICATED, &["florin.code"]))
                    .says("Counted by process, not by service: a token is looked at before the service is asked."),
                Panel::stacked("Refused at public doors", Query::rate(&PUBLIC_REFUSALS, &["florin.code"])),
            ],
        },
    ]
}
