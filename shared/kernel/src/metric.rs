//! Every metric there is, by its OpenTelemetry name: code, dashboards and alerts take them from this list.
//!
//! At `/metrics` a name has underscores for dots and ends with its unit and, for a counter, with `_total`, as the
//! OpenTelemetry specification "Prometheus and OpenMetrics Compatibility" says. No label has more values than a
//! deployment has functions, routes, peers and codes: never a path, a tenant or an identifier.

use serde::Serialize;

/// How a metric is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Instrument {
    /// It only grows.
    Counter,
    /// It is what it was when it was last looked at.
    Gauge,
    /// How often which values were measured, in [`SECONDS`].
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Metric {
    /// Its OpenTelemetry name.
    pub name: &'static str,
    /// How it is measured.
    pub instrument: Instrument,
    /// Its unit in UCUM: `s`, or what is counted in braces.
    pub unit: &'static str,
    /// The names of its attributes.
    pub attributes: &'static [&'static str],
    /// What it says.
    pub summary: &'static str,
}

impl Metric {
    /// Its name at `/metrics`.
    pub fn prometheus(&self) -> String {
        let mut name = self.name.replace('.', "_");
        if self.unit == "s" {
            name.push_str("_seconds");
        }
        if self.instrument == Instrument::Counter {
            name.push_str("_total");
        }
        name
    }
}

/// The buckets of every histogram, in seconds: those that the conventions advise for `http.server.request.duration`.
pub const SECONDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

const fn counter(
    name: &'static str,
    unit: &'static str,
    attributes: &'static [&'static str],
    summary: &'static str,
) -> Metric {
    Metric { name, instrument: Instrument::Counter, unit, attributes, summary }
}

const fn gauge(
    name: &'static str,
    unit: &'static str,
    attributes: &'static [&'static str],
    summary: &'static str,
) -> Metric {
    Metric { name, instrument: Instrument::Gauge, unit, attributes, summary }
}

const fn seconds(name: &'static str, attributes: &'static [&'static str], summary: &'static str) -> Metric {
    Metric { name, instrument: Instrument::Histogram, unit: "s", attributes, summary }
}

/// The attribute that names a function.
pub const FUNCTION: &str = "florin.function";
/// The attribute that names a service.
pub const SERVICE: &str = "florin.service";

/// A request at a door.
pub const HTTP_SERVER_DURATION: Metric = seconds(
    "http.server.request.duration",
    &["http.request.method", "http.route", "http.response.status_code", "url.scheme", "error.type", SERVICE],
    "How long requests took.",
);
/// A request of an effect.
pub const HTTP_CLIENT_DURATION: Metric = seconds(
    "http.client.request.duration",
    &["http.request.method", "server.address", "server.port", "http.response.status_code", "error.type"],
    "How long requests to peers took.",
);
/// A delivery.
pub const PROCESS_DURATION: Metric = seconds(
    "messaging.process.duration",
    &["messaging.system", "messaging.operation.name", "messaging.destination.name", "error.type"],
    "How long deliveries took.",
);
/// A batch of the relay.
pub const PUBLISH_DURATION: Metric = seconds(
    "messaging.client.operation.duration",
    &["messaging.system", "messaging.operation.name", "error.type"],
    "How long it took to publish a batch.",
);
/// An event that the broker confirmed, or not.
pub const SENT_MESSAGES: Metric = counter(
    "messaging.client.sent.messages",
    "{message}",
    &["messaging.system", "messaging.operation.name", SERVICE, "error.type"],
    "Events given to the broker.",
);
/// An event that a consumer was given.
pub const CONSUMED_MESSAGES: Metric = counter(
    "messaging.client.consumed.messages",
    "{message}",
    &["messaging.system", "messaging.operation.name", "messaging.destination.name"],
    "Deliveries that were tried, repeated ones too.",
);
/// What became of a delivery.
pub const DELIVERIES: Metric = counter(
    "florin.deliveries",
    "{delivery}",
    &[FUNCTION, "florin.disposition"],
    "Deliveries by what became of them.",
);
/// From an event to the end of its delivery.
pub const DELIVERY_LAG: Metric =
    seconds("florin.delivery.lag", &[FUNCTION], "How old an event was when its delivery was done.");
/// A failed attempt that will be repeated.
pub const DELIVERY_RETRIES: Metric =
    counter("florin.delivery.retries", "{attempt}", &[FUNCTION], "Failed attempts that come again.");
/// A delivery that was given up.
pub const DEAD_LETTERS: Metric =
    counter("florin.dead_letters", "{delivery}", &[FUNCTION], "Deliveries that were given up.");
/// A failed attempt of an effect.
pub const EFFECT_FAILURES: Metric =
    counter("florin.effect.failures", "{attempt}", &[FUNCTION], "Attempts of effects without an outcome.");
/// A fault.
pub const FAULTS: Metric = counter("florin.faults", "{fault}", &[], "Faults; each is logged once.");
/// A database that is away.
pub const DATABASE_UNAVAILABLE: Metric =
    counter("florin.database.unavailable", "{request}", &[], "Requests that met a database away or busy.");
/// A room that ran again.
pub const ROOM_RERUNS: Metric =
    counter("florin.room.reruns", "{run}", &[], "Rooms that ran again after a conflict of transactions.");
/// A refusal of a public door.
pub const PUBLIC_REFUSALS: Metric = counter(
    "florin.public_refusals",
    "{request}",
    &["florin.code"],
    "Refusals at public doors, which leave no record.",
);
/// A 401.
pub const UNAUTHENTICATED: Metric =
    counter("florin.unauthenticated", "{request}", &["florin.code"], "Requests without a valid token.");
/// A consumer that paused.
pub const QUEUE_PAUSES: Metric =
    counter("florin.queue.pauses", "{pause}", &[FUNCTION], "Pauses of consumers that could not try.");
/// A message that is no event.
pub const QUEUE_SET_ASIDE: Metric = counter(
    "florin.queue.set_aside",
    "{message}",
    &[FUNCTION],
    "Messages set aside or refused: they are no events.",
);
/// An entry of an SQS batch that was sent again.
pub const QUEUE_RESENT: Metric =
    counter("florin.queue.resent", "{message}", &[], "Entries of batches that were sent again.");
/// A connection to the broker.
pub const QUEUE_CONNECTIONS: Metric =
    counter("florin.queue.connections", "{connection}", &["florin.link"], "Connections made to the broker.");
/// What waits in a consumer's queue.
pub const QUEUE_DEPTH: Metric =
    gauge("florin.queue.depth", "{message}", &[FUNCTION], "Messages in a queue, as the broker counts them.");
/// How long the oldest of them waits.
pub const QUEUE_AGE: Metric = gauge(
    "florin.queue.age",
    "s",
    &[FUNCTION],
    "How long the oldest message waits, where the broker knows it.",
);
/// Events that are committed and not published.
pub const OUTBOX_DEPTH: Metric =
    gauge("florin.outbox.depth", "{event}", &[SERVICE], "Events that wait to be published, up to 10000.");
/// How long the oldest of them waits.
pub const OUTBOX_AGE: Metric =
    gauge("florin.outbox.age", "s", &[SERVICE], "How long the oldest event waits to be published.");
/// Effects that wait for their outcome.
pub const EFFECTS_DEPTH: Metric =
    gauge("florin.effects.depth", "{effect}", &[SERVICE], "Effects without an outcome, up to 10000.");
/// How long the oldest of them waits.
pub const EFFECTS_AGE: Metric =
    gauge("florin.effects.age", "s", &[SERVICE], "How long the oldest effect waits for its outcome.");
/// Effects that a person must look at.
pub const EFFECTS_NEED_REVIEW: Metric =
    gauge("florin.effects.needs_review", "{effect}", &[SERVICE], "Effects that need a person, up to 10000.");
/// Dead letters that are kept.
pub const DEAD_LETTERS_DEPTH: Metric =
    gauge("florin.dead_letters.depth", "{delivery}", &[SERVICE], "Dead letters that are kept, up to 10000.");
/// Connections of a pool.
pub const DATABASE_CONNECTIONS: Metric = gauge(
    "db.client.connection.count",
    "{connection}",
    &["db.client.connection.pool.name", "db.client.connection.state"],
    "Connections to the database.",
);

/// All of them.
pub const METRICS: &[Metric] = &[
    HTTP_SERVER_DURATION,
    HTTP_CLIENT_DURATION,
    PROCESS_DURATION,
    PUBLISH_DURATION,
    SENT_MESSAGES,
    CONSUMED_MESSAGES,
    DELIVERIES,
    DELIVERY_LAG,
    DELIVERY_RETRIES,
    DEAD_LETTERS,
    EFFECT_FAILURES,
    FAULTS,
    DATABASE_UNAVAILABLE,
    ROOM_RERUNS,
    PUBLIC_REFUSALS,
    UNAUTHENTICATED,
    QUEUE_PAUSES,
    QUEUE_SET_ASIDE,
    QUEUE_RESENT,
    QUEUE_CONNECTIONS,
    QUEUE_DEPTH,
    QUEUE_AGE,
    OUTBOX_DEPTH,
    OUTBOX_AGE,
    EFFECTS_DEPTH,
    EFFECTS_AGE,
    EFFECTS_NEED_REVIEW,
    DEAD_LETTERS_DEPTH,
    DATABASE_CONNECTIONS,
];
