//! The processes: whether they are there, their faults, their databases; and every metric that no other panel shows.

use std::collections::BTreeSet;

use florin_kernel::metric::{
    DATABASE_CONNECTIONS, DATABASE_UNAVAILABLE, FAULTS, Instrument, METRICS, Metric, ROOM_RERUNS,
};

use super::panel::{Panel, Row};
use super::query::Query;

const ANY: &[(f64, &str)] = &[(1.0, "red")];

pub(super) fn rows() -> Vec<Row> {
    let up = r#"sum by (job) (up{job=~"$job"})"#;
    vec![
        Row {
            title: "At a glance",
            panels: vec![
                Panel::number("Processes", Query::recorded(up, "{{job}}", "short"))
                    .says("Those that Prometheus asks and that answer. Functions of Lambda are not asked, they tell a collector."),
                Panel::number("Faults", Query::total(&FAULTS, &[])).thresholds(ANY).says(
                    "In the time shown. Each is logged once at level error, with the trace the caller was given.",
                ),
                Panel::number("Database away", Query::total(&DATABASE_UNAVAILABLE, &[])).thresholds(ANY),
                Panel::number("Connections", Query::sum_now(&DATABASE_CONNECTIONS, &[])),
            ],
        },
        Row {
            title: "Processes",
            panels: vec![
                Panel::lines("Processes that answer", Query::recorded(up, "{{job}}", "short")),
                Panel::lines("Faults", Query::rate(&FAULTS, &[])),
            ],
        },
        Row {
            title: "Databases",
            panels: vec![
                Panel::lines("Requests that met a database away or busy", Query::rate(&DATABASE_UNAVAILABLE, &[])),
                Panel::lines("Rooms that ran again", Query::rate(&ROOM_RERUNS, &[]))
                    .says("After a conflict of transactions; three times at most."),
                Panel::stacked(
                    "Connections by service and state",
                    Query::sum_now(
                        &DATABASE_CONNECTIONS,
                        &["db.client.connection.pool.name", "db.client.connection.state"],
                    ),
                )
                .says("Of all processes together: what PostgreSQL's max_connections must hold."),
            ],
        },
    ]
}

/// What the list has and no panel shows: a new metric is seen before somebody finds it a better place.
pub(super) fn others(shown: &BTreeSet<&'static str>) -> Option<Row> {
    let others: Vec<Panel> =
        METRICS.iter().filter(|metric| !shown.contains(metric.name)).map(panel).collect();
    (!others.is_empty()).then_some(Row { title: "Everything else", panels: others })
}

fn panel(metric: &'static Metric) -> Panel {
    let query = match metric.instrument {
        Instrument::Counter => Query::rate(metric, metric.attributes),
        Instrument::Gauge => Query::now(metric, metric.attributes),
        Instrument::Histogram => Query::quantile(metric, "0.99", metric.attributes),
    };
    Panel::lines(metric.name, query).says(metric.summary)
}
