//! Events: CloudEvents 1.0 with the attributes that Florin's own always carry.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::cloudevents::{Limits, decode_structured, encode_structured};
use crate::db::{DbError, DbResult, Trouble};
use crate::time::Timestamp;
pub use crate::trace::TraceParent;

/// The largest event Florin emits, as structured JSON, in bytes: what every supported broker takes.
pub const MAX_EVENT_BYTES: usize = 200_000;

/// One CloudEvent (CloudEvents 1.0.2), however it travelled.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Unique within `source`; with it the key of the inbox.
    pub id: String,
    /// The context it happened in, for example `/florin/payments`.
    pub source: String,
    /// For example `florin.payment.captured.v1`.
    pub kind: String,
    /// The aggregate it is about.
    pub subject: Option<String>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// Where the data's schema is.
    pub dataschema: Option<String>,
    /// Extension attributes by name (lower-case letters and digits), in their string form.
    /// Florin's own events carry `sequence`, `tenant` and, where there is a trace, `traceparent`.
    pub extensions: BTreeMap<String, String>,
    /// What happened.
    pub data: Data,
}

/// An event's data and, for what is not JSON, its media type.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// No data at all.
    None,
    /// JSON, under this media type (`application/json` unless the sender said otherwise).
    Json {
        /// The media type as the sender wrote it.
        content_type: String,
        /// The value.
        value: Value,
    },
    /// Anything else, as the sender's bytes.
    Bytes {
        /// The media type as the sender wrote it, if it said one.
        content_type: Option<String>,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

impl Event {
    /// An extension attribute by name.
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.get(name).map(String::as_str)
    }

    /// The aggregate's version that this event made, where the producer says it.
    pub fn sequence(&self) -> Option<i64> {
        self.extension("sequence")?.parse().ok()
    }

    /// The data, when it is JSON.
    pub fn json(&self) -> Option<&Value> {
        match &self.data {
            Data::Json { value, .. } => Some(value),
            Data::None | Data::Bytes { .. } => None,
        }
    }
}

impl Event {
    /// The text that rows hold: structured JSON. What cannot be a CloudEvent is a fault of whoever made it.
    pub(crate) fn to_stored(&self) -> DbResult<String> {
        let bytes = encode_structured(self).map_err(|error| said("cannot be stored", &error))?;
        String::from_utf8(bytes).map_err(|error| said("cannot be stored", &error))
    }

    /// The event that [`Event::to_stored`] wrote.
    pub(crate) fn from_stored(text: &str) -> DbResult<Self> {
        let limits =
            Limits { max_event_bytes: usize::MAX, max_indexed_bytes: usize::MAX, ..Limits::default() };
        decode_structured(text.as_bytes(), &limits).map_err(|error| said("does not read", &error))
    }
}

fn said(what: &str, error: &dyn fmt::Display) -> DbError {
    DbError::said(Trouble::Fault, format!("the event {what}: {error}"))
}

/// Which event types a reaction wants: dot-separated words, `*` for one word, `#` at the end for the rest
/// (AMQP 0.9.1 topic syntax, so that RabbitMQ can match by itself).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern(pub &'static str);

impl Pattern {
    /// Whether an event type is wanted.
    pub fn matches(self, kind: &str) -> bool {
        let mut words = kind.split('.');
        for wanted in self.0.split('.') {
            if wanted == "#" {
                return true;
            }
            match words.next() {
                Some(word) if wanted == "*" || wanted == word => {}
                _ => return false,
            }
        }
        words.next().is_none()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_words() {
        for (pattern, kind, wanted) in [
            ("florin.payment.captured.v1", "florin.payment.captured.v1", true),
            ("florin.payment.*.v1", "florin.payment.captured.v1", true),
            ("florin.payment.*.v1", "florin.payment.v1", false),
            ("florin.#", "florin.payment.captured.v1", true),
            ("florin.#", "florinx.payment", false),
            ("florin.payment", "florin.payment.captured", false),
        ] {
            assert_eq!(Pattern(pattern).matches(kind), wanted, "{pattern} on {kind}");
        }
    }
}
