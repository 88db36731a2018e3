//! Arbitrary events: such as CloudEvents allows, and any that the type allows.

use florin_kernel::event::{Data, Event};
use florin_kernel::time::Timestamp;
use florin_queue::cloudevents::AttributeValue;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

fn allowed(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{FDD0}'..='\u{FDEF}') && u32::from(c) & 0xFFFE != 0xFFFE
}

/// Characters that some carrier treats in a way of its own, and any other.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        prop::sample::select(vec!['%', '"', '\\', ' ', '\u{20AC}', '2', 'F', ';', ',']),
        any::<char>()
    ]
}

fn allowed_text(min: usize) -> impl Strategy<Value = String> {
    // Replaced and not filtered: proptest gives up after so many rejected values.
    vec(character().prop_map(|c| if allowed(c) { c } else { '\u{1F600}' }), min..24)
        .prop_map(|characters| characters.into_iter().collect())
}

fn any_text() -> impl Strategy<Value = String> {
    vec(character(), 0..12).prop_map(|characters| characters.into_iter().collect())
}

fn extension_name() -> impl Strategy<Value = String> {
    // Each starts with a digit, so none is a name of the specification.
    "[0-9][a-z0-9]{0,20}"
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // Quarters: the workspace's serde_json reads other fractions to within one unit in the last place.
        any::<i32>().prop_map(|quarters| Value::from(f64::from(quarters) / 4.0)),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(any_text(), inner, 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn data() -> impl Strategy<Value = Data> {
    let json_types = [
        "application/json",
        "text/json; charset=utf-8",
        "application/vnd.x+JSON",
        "application/cloudevents+json",
    ];
    let other_types =
        ["text/plain; charset=\"utf-8\"", "application/octet-stream", "application/cloudevents+avro"];
    prop_oneof![
        Just(Data::None),
        (prop::sample::select(json_types.to_vec()), json())
            .prop_map(|(content_type, value)| Data::Json { content_type: content_type.into(), value }),
        (prop::sample::select(other_types.to_vec()), vec(any::<u8>(), 0..40))
            .prop_map(|(content_type, bytes)| Data::Bytes { content_type: Some(content_type.into()), bytes }),
        // No bytes of no type are no data.
        vec(any::<u8>(), 1..40).prop_map(|bytes| Data::Bytes { content_type: None, bytes }),
    ]
}

/// An event that CloudEvents allows.
pub(crate) fn event() -> impl Strategy<Value = Event> {
    let years_0_to_9999 = -62_167_219_200_000_000..=253_402_300_799_999_999_i64;
    (
        (allowed_text(1), allowed_text(1), allowed_text(1), option::of(allowed_text(1))),
        option::of(years_0_to_9999.prop_map(Timestamp::from_micros)),
        option::of(allowed_text(1)),
        btree_map(extension_name(), allowed_text(0), 0..6),
        data(),
    )
        .prop_map(|((id, source, kind, subject), time, dataschema, extensions, data)| Event {
            id,
            source,
            kind,
            subject,
            time,
            dataschema,
            extensions,
            data,
        })
}

/// Any event that the type can hold, mostly not one that CloudEvents allows.
pub(crate) fn any_event() -> impl Strategy<Value = Event> {
    let name = prop_oneof![
        extension_name(),
        any_text(),
        prop::sample::select(vec!["id".to_owned(), "data".to_owned()])
    ];
    let data = prop_oneof![
        data(),
        (any_text(), json()).prop_map(|(content_type, value)| Data::Json { content_type, value }),
        (option::of(any_text()), vec(any::<u8>(), 1..9))
            .prop_map(|(content_type, bytes)| Data::Bytes { content_type, bytes }),
    ];
    (
        event(),
        any_text(),
        option::of(any_text()),
        option::of(any::<i64>()),
        btree_map(name, any_text(), 0..2),
        data,
    )
        .prop_map(|(event, id, subject, time, extensions, data)| Event {
            id,
            subject,
            time: time.map(Timestamp::from_micros),
            extensions,
            data,
            ..event
        })
}

/// Any attribute value, natively typed.
pub(crate) fn attribute_value() -> impl Strategy<Value = AttributeValue> {
    prop_oneof![
        any_text().prop_map(AttributeValue::Text),
        any::<i64>().prop_map(AttributeValue::Integer),
        any::<bool>().prop_map(AttributeValue::Boolean),
        vec(any::<u8>(), 0..9).prop_map(AttributeValue::Binary),
        any::<i64>().prop_map(|at| AttributeValue::Timestamp(Timestamp::from_micros(at))),
    ]
}
