//! Events for the desk, each with what makes wires stumble.

use florin_kernel::event::{Data, Event};
use florin_kernel::id::{Ids, Kind};
use florin_kernel::time::{Clock, Timestamp};
use serde_json::{Value, json};

use crate::desk::TENANT;

/// A name that nothing else has, in this run and any other.
pub(crate) fn unique() -> String {
    enum Unique {}
    impl Kind for Unique {
        const PREFIX: &'static str = "t";
    }
    format!("t{}", Ids::new(Clock::System).new_id::<Unique>().uuid().simple())
}

/// An event of somebody else, with what makes wires stumble.
fn event(kind: &str, data: Value) -> Event {
    Event {
        id: unique(),
        source: "/other".to_owned(),
        kind: kind.to_owned(),
        subject: Some("Zoë \"100%\"".to_owned()),
        time: Some(Timestamp::from_micros(1_790_000_000_123_456)),
        dataschema: None,
        extensions: [("tenant", TENANT), ("sequence", "3")].map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
        data: Data::Json { content_type: "application/json".to_owned(), value: data },
    }
}

/// An event that tells [`FOLLOW`](crate::desk::FOLLOW) what to answer.
pub(crate) fn told(answers: &[&str]) -> Event {
    let note = "Grüße \u{0} \u{FFFE} \\ \"quoted\" 🪙";
    event("other.answer.told", json!({ "answers": answers, "note": note, "big": i64::MAX, "part": 0.1 }))
}

/// An event that only [`TALLY_ANSWER`](crate::desk::TALLY_ANSWER) wants.
pub(crate) fn unrelated() -> Event {
    event("other.answer.not.told", json!({}))
}

/// A version of a thing.
pub(crate) fn thing(id: &str, sequence: usize) -> Event {
    let mut event =
        event("florin.thing.changed.v1", json!({ "id": id, "state": format!("state {sequence}") }));
    event.extensions.insert("sequence".to_owned(), sequence.to_string());
    event
}
