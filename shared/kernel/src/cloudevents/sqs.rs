//! Events in Amazon SQS messages: structured JSON as the body, bare or in the envelope of what delivered it.

use std::collections::BTreeMap;

use crate::event::Event;
use serde_json::value::RawValue;

use super::error::{DecodeError, EncodeError};
use super::limits::Limits;
use super::raw_json::Members;
use super::structured::{Structured, from_members, members};

/// An SQS or SNS message that carries an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqsMessage {
    /// The message body.
    pub body: String,
    /// Message attributes of type String: `type`, `source`, `tenant` and `traceparent`, as far as the event
    /// has them. They are for SNS filter policies and for tools; a message may have ten, and raw delivery
    /// drops those beyond. Decoding does not read them.
    pub attributes: BTreeMap<String, String>,
}

/// An event as a message for SQS or SNS.
///
/// # Errors
/// The event is not one that CloudEvents allows.
pub fn encode_sqs(event: &Event) -> Result<SqsMessage, EncodeError> {
    // SQS takes the characters of XML 1.0 and refuses the whole message for these two, which JSON may have
    // as they are in strings and nowhere else; the control characters JSON escapes by itself.
    let body = Structured::of(event)?.to_json().replace('\u{FFFE}', "\\ufffe").replace('\u{FFFF}', "\\uffff");
    let wanted = [
        ("type", Some(event.kind.as_str())),
        ("source", Some(event.source.as_str())),
        ("tenant", event.extension("tenant")),
        ("traceparent", event.extension("traceparent")),
    ];
    let attributes = wanted
        .into_iter()
        // SQS refuses an attribute without content.
        .filter_map(|(name, value)| Some((name.to_owned(), value.filter(|v| !v.is_empty())?.to_owned())))
        .collect();
    Ok(SqsMessage { body, attributes })
}

/// The event of an SQS message body: structured JSON, or in an SNS notification's `Message` (delivery that
/// is not raw), or an EventBridge event's `detail`, or the second in the first.
///
/// # Errors
/// The body holds no CloudEvent, or passes the limits; the envelope counts.
pub fn decode_sqs(body: &str, limits: &Limits) -> Result<Event, DecodeError> {
    if body.len() > limits.max_event_bytes {
        return Err(DecodeError::EventTooLarge { limit: limits.max_event_bytes });
    }
    let outer = members(body.as_bytes(), limits)?;
    let Some(message) = sns_message(&outer) else {
        return event_or_detail(outer, limits);
    };
    let message: String = serde_json::from_str(message.get())
        .map_err(|_| DecodeError::Type { name: "Message".to_owned(), expected: "a string" })?;
    event_or_detail(members(message.as_bytes(), limits)?, limits)
}

fn member<'m>(object: &Members<'m>, wanted: &str) -> Option<&'m RawValue> {
    object.iter().find(|(name, _)| name == wanted).map(|(_, raw)| *raw)
}

/// The `Message` of an SNS notification. Its capitals cannot be an event's attributes.
fn sns_message<'m>(envelope: &Members<'m>) -> Option<&'m RawValue> {
    member(envelope, "Type").filter(|raw| raw.get() == "\"Notification\"")?;
    member(envelope, "Message")
}

fn event_or_detail(object: Members<'_>, limits: &Limits) -> Result<Event, DecodeError> {
    // No attribute may have a hyphen in its name: this is EventBridge's envelope and not an event.
    match member(&object, "detail-type").and_then(|_| member(&object, "detail")) {
        Some(detail) => from_members(members(detail.get().as_bytes(), limits)?, limits),
        None => from_members(object, limits),
    }
}
