//! Events in AMQP messages (CloudEvents AMQP binding 1.0.2), in terms that AMQP 0.9.1 and 1.0 share.

use std::collections::BTreeMap;

use crate::event::Event;

use super::attributes::{AttributeValue, Attributes, outgoing};
use super::error::{DecodeError, EncodeError, shortened};
use super::limits::Limits;
use super::media_type::{EVENT_MEDIA_TYPE, Mode, essence};
use super::{data, structured};

/// What goes out. The specification allows `:` as well, which JMS clients cannot read.
const PREFIX: &str = "cloudEvents_";

/// What may come in.
const PREFIXES: [&str; 2] = [PREFIX, "cloudEvents:"];

/// The parts of an AMQP message that carry an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AmqpMessage {
    /// The `content-type` property.
    pub content_type: Option<String>,
    /// The headers (0.9.1) or application properties (1.0). When decoding, only those with a CloudEvents
    /// prefix are looked at, so a caller may leave out the others, and values of no such type.
    pub headers: BTreeMap<String, AttributeValue>,
    /// The payload.
    pub body: Vec<u8>,
}

/// An event in binary mode: attributes as headers in their string form, the data as the payload.
///
/// Data that is itself of a CloudEvents media type goes structured, as over HTTP.
///
/// # Errors
/// The event is not one that CloudEvents allows.
pub fn encode_amqp(event: &Event) -> Result<AmqpMessage, EncodeError> {
    let content_type = data::content_type(&event.data)?;
    if content_type.is_some_and(|content_type| Mode::of(content_type) != Mode::Binary) {
        return encode_amqp_structured(event);
    }
    let header = |(name, value)| (format!("{PREFIX}{name}"), AttributeValue::Text(value));
    Ok(AmqpMessage {
        content_type: content_type.map(str::to_owned),
        headers: outgoing(event)?.into_iter().map(header).collect(),
        body: data::to_bytes(&event.data),
    })
}

/// An event in structured mode: all of it in the payload.
///
/// # Errors
/// The event is not one that CloudEvents allows.
pub fn encode_amqp_structured(event: &Event) -> Result<AmqpMessage, EncodeError> {
    Ok(AmqpMessage {
        content_type: Some(EVENT_MEDIA_TYPE.to_owned()),
        headers: BTreeMap::new(),
        body: structured::encode_structured(event)?,
    })
}

/// The event of an AMQP message, in binary or structured mode. The binding has no batches.
///
/// # Errors
/// The message is not a CloudEvent, or passes the limits.
pub fn decode_amqp(message: &AmqpMessage, limits: &Limits) -> Result<Event, DecodeError> {
    let content_type = message.content_type.as_deref();
    if let Some(content_type) = content_type.filter(|content_type| Mode::of(content_type) != Mode::Binary) {
        if !essence(content_type).eq_ignore_ascii_case(EVENT_MEDIA_TYPE) {
            return Err(DecodeError::FormatUnsupported { content_type: shortened(content_type) });
        }
        return structured::decode_structured(&message.body, limits);
    }
    let mut attributes = Attributes::new(limits);
    for (header, value) in &message.headers {
        let Some(name) = PREFIXES.iter().find_map(|prefix| header.strip_prefix(prefix)) else { continue };
        if name == "datacontenttype" {
            return Err(DecodeError::ContentTypeMisplaced);
        }
        attributes.insert(name, value.clone())?;
    }
    if let Some(content_type) = content_type {
        attributes.insert_content_type(content_type)?;
    }
    if attributes.bytes().saturating_add(message.body.len()) > limits.max_event_bytes {
        return Err(DecodeError::EventTooLarge { limit: limits.max_event_bytes });
    }
    attributes.into_event(|content_type| data::from_bytes(content_type, message.body.as_slice(), limits))
}
