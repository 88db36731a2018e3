//! What waits between services: outbox, queues, deliveries, dead letters.

use florin_kernel::metric::{
    CONSUMED_MESSAGES, DEAD_LETTERS, DEAD_LETTERS_DEPTH, DELIVERIES, DELIVERY_LAG, DELIVERY_RETRIES,
    FUNCTION, OUTBOX_AGE, OUTBOX_DEPTH, PROCESS_DURATION, PUBLISH_DURATION, QUEUE_AGE, QUEUE_CONNECTIONS,
    QUEUE_DEPTH, QUEUE_PAUSES, QUEUE_RESENT, QUEUE_SET_ASIDE, SENT_MESSAGES, SERVICE,
};

use super::panel::{Panel, Row};
use super::query::{FAILED, Query};

const QUEUE: &str = "messaging.destination.name";

/// From where on the alerts of rules.yml tell somebody.
const OUTBOX_OLD: &[(f64, &str)] = &[(30.0, "orange"), (60.0, "red")];
const QUEUE_OLD: &[(f64, &str)] = &[(60.0, "orange"), (300.0, "red")];
const ANY: &[(f64, &str)] = &[(1.0, "red")];

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row {
            title: "At a glance",
            panels: vec![
                Panel::number("Oldest event not published", Query::now(&OUTBOX_AGE, &[SERVICE]))
                    .thresholds(OUTBOX_OLD)
                    .says("Nothing is lost: the events are rows. `florin outbox` counts them."),
                Panel::number("Oldest message in a queue", Query::now(&QUEUE_AGE, &[FUNCTION]))
                    .thresholds(QUEUE_OLD)
                    .says("Where the broker knows it; RabbitMQ does not, and the lag below is what it shows instead."),
                Panel::number("Dead letters", Query::now(&DEAD_LETTERS_DEPTH, &[SERVICE]))
                    .thresholds(ANY)
                    .says("`florin dead-letters list` says why, `florin dead-letters replay` delivers them again."),
                Panel::number("Given up", Query::total(&DEAD_LETTERS, &[FUNCTION])).thresholds(ANY),
            ],
        },
        Row {
            title: "Outbox",
            panels: vec![
                Panel::lines("Events that wait", Query::now(&OUTBOX_DEPTH, &[SERVICE]))
                    .says("Counted up to 10000."),
                Panel::lines("Oldest of them", Query::now(&OUTBOX_AGE, &[SERVICE])).thresholds(OUTBOX_OLD),
                Panel::lines("Published", Query::rate(&SENT_MESSAGES, &[SERVICE, "error.type"]))
                    .says("A series with a word behind the service is what the broker did not confirm or refused."),
                Panel::lines(
                    "How long a batch takes",
                    [("0.5", "median"), ("0.99", "slowest hundredth")].map(|(quantile, name)| {
                        Query::quantile(&PUBLISH_DURATION, quantile, &[]).called(name)
                    }),
                ),
            ],
        },
        Row {
            title: "Queues",
            panels: vec![
                Panel::lines("Messages that wait", Query::now(&QUEUE_DEPTH, &[FUNCTION]))
                    .thresholds(&[(1000.0, "red")]),
                Panel::lines("Oldest of them", Query::now(&QUEUE_AGE, &[FUNCTION])).thresholds(QUEUE_OLD),
                Panel::lines("Messages taken", Query::rate(&CONSUMED_MESSAGES, &[QUEUE])),
                Panel::lines(
                    "From the event to the end of its delivery",
                    [("0.5", "median"), ("0.99", "slowest hundredth")].map(|(quantile, name)| {
                        Query::quantile(&DELIVERY_LAG, quantile, &[FUNCTION])
                            .called(&format!("{{{{florin_function}}}} {name}"))
                    }),
                ),
            ],
        },
        Row {
            title: "Deliveries",
            panels: vec![
                Panel::stacked(
                    "What became of them",
                    Query::rate(&DELIVERIES, &[FUNCTION, "florin.disposition"]),
                ),
                Panel::lines("Attempts that come again", Query::rate(&DELIVERY_RETRIES, &[FUNCTION])),
                Panel::lines("Failed", Query::share(&PROCESS_DURATION, FAILED, &[QUEUE])),
                Panel::lines("Slowest hundredth", Query::quantile(&PROCESS_DURATION, "0.99", &[QUEUE])),
                Panel::lines("Pauses", Query::rate(&QUEUE_PAUSES, &[FUNCTION]))
                    .says("A consumer whose database is away takes nothing and spends no attempt."),
                Panel::lines("Given up", Query::rate(&DEAD_LETTERS, &[FUNCTION])),
            ],
        },
        Row {
            title: "The broker",
            panels: vec![
                Panel::lines("Set aside: no events", Query::rate(&QUEUE_SET_ASIDE, &[FUNCTION]))
                    .says("`florin dead-letters list` shows them too."),
                Panel::lines("Connections made", Query::rate(&QUEUE_CONNECTIONS, &["florin.link"])),
                Panel::lines("Entries sent again", Query::rate(&QUEUE_RESENT, &[])),
            ],
        },
    ]
}
