//! Events and messages: what the CloudEvents codec says, in lapin's words.

use std::collections::BTreeMap;

use florin_kernel::event::Event;
use florin_kernel::time::Timestamp;
use florin_queue::cloudevents::{
    AmqpMessage, AttributeValue, DecodeError, EncodeError, Limits, decode_amqp, encode_amqp,
    encode_amqp_structured,
};
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, MAX_SHORT_STRING_LENGTH, ShortString};

/// Survives a restart of the broker (AMQP 0.9.1 `delivery-mode`).
const PERSISTENT: u8 = 2;

/// Headers travel in one frame of at most 128 KiB (RabbitMQ's `frame_max`); a longer one ends the connection.
/// An event whose attributes may not fit goes structured, all of it in the payload.
const MOST_HEADER_BYTES: usize = 64 * 1024;

/// Says on a dead message why it is there.
pub(crate) const REASON: &str = "florin-reason";

/// An event as it is published: binary, its attributes as headers; structured when they do not fit there.
pub(crate) fn encode(event: &Event) -> Result<(BasicProperties, Vec<u8>), EncodeError> {
    let mut message = encode_amqp(event)?;
    if !fits(&message) {
        message = encode_amqp_structured(event)?;
    }
    let mut headers = FieldTable::default();
    for (name, value) in message.headers {
        headers.insert(name.into(), to_amqp(value));
    }
    let mut properties = BasicProperties::default().with_delivery_mode(PERSISTENT).with_headers(headers);
    if let Some(content_type) = message.content_type {
        properties = properties.with_content_type(content_type.into());
    }
    // For people who look at a queue; nothing here reads it.
    if let Ok(id) = ShortString::try_new(event.id.clone()) {
        properties = properties.with_message_id(id);
    }
    Ok((properties, message.body))
}

/// Whether AMQP has room: 255 bytes for a header's name and for the content type, one frame for all headers.
fn fits(message: &AmqpMessage) -> bool {
    let value = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => text.len(),
        AttributeValue::Binary(bytes) => bytes.len(),
        AttributeValue::Integer(_) | AttributeValue::Boolean(_) | AttributeValue::Timestamp(_) => 32,
    };
    let bytes: usize = message.headers.iter().map(|(name, one)| name.len() + value(one) + 6).sum();
    let mut short = message.headers.keys().chain(&message.content_type);
    bytes <= MOST_HEADER_BYTES && short.all(|text| text.len() <= MAX_SHORT_STRING_LENGTH)
}

/// The event that a message carries; the message stays as it is.
pub(crate) fn decode(delivery: &mut Delivery) -> Result<Event, DecodeError> {
    let properties = &delivery.properties;
    let named = properties.headers().iter().flat_map(FieldTable::inner);
    let headers: BTreeMap<String, AttributeValue> = named
        .filter(|(name, _)| name.as_str().starts_with("cloudEvents"))
        .filter_map(|(name, value)| Some((name.to_string(), from_amqp(value)?)))
        .collect();
    let content_type = properties.content_type().as_ref().map(ShortString::to_string);
    // Lent, not copied: it is needed again when the event comes later.
    let message = AmqpMessage { content_type, headers, body: std::mem::take(&mut delivery.data) };
    let event = decode_amqp(&message, &Limits::default());
    delivery.data = message.body;
    event
}

/// The properties of a message that is published again, to another queue.
///
/// Without the broker's own headers (`x-death`, `x-delivery-count`), which count anew, and without what its
/// producer asked of the first queue: an expiration would delete it, a foreign user id would be refused.
pub(crate) fn again(delivery: &Delivery, reason: Option<&str>) -> BasicProperties {
    let before = &delivery.properties;
    let mut headers = FieldTable::default();
    for (name, value) in before.headers().iter().flat_map(FieldTable::inner) {
        if !name.as_str().starts_with("x-") {
            headers.insert(name.clone(), value.clone());
        }
    }
    if let Some(reason) = reason {
        headers.insert(REASON.into(), AMQPValue::LongString(reason.into()));
    }
    let mut after = BasicProperties::default().with_delivery_mode(PERSISTENT).with_headers(headers);
    if let Some(content_type) = before.content_type() {
        after = after.with_content_type(content_type.clone());
    }
    if let Some(encoding) = before.content_encoding() {
        after = after.with_content_encoding(encoding.clone());
    }
    if let Some(id) = before.message_id() {
        after = after.with_message_id(id.clone());
    }
    after
}

/// How often the broker has seen this message come back.
pub(crate) fn returns(delivery: &Delivery) -> i64 {
    let headers = delivery.properties.headers().as_ref().map(FieldTable::inner);
    match headers.and_then(|headers| headers.get("x-delivery-count")) {
        Some(AMQPValue::LongLongInt(count)) => *count,
        Some(AMQPValue::LongInt(count)) => i64::from(*count),
        Some(AMQPValue::LongUInt(count)) => i64::from(*count),
        Some(AMQPValue::ShortShortUInt(count)) => i64::from(*count),
        _ => 0,
    }
}

fn to_amqp(value: AttributeValue) -> AMQPValue {
    match value {
        AttributeValue::Text(text) => AMQPValue::LongString(text.into()),
        AttributeValue::Integer(number) => AMQPValue::LongLongInt(number),
        AttributeValue::Boolean(yes) => AMQPValue::Boolean(yes),
        AttributeValue::Binary(bytes) => AMQPValue::ByteArray(bytes.into()),
        AttributeValue::Timestamp(at) => AMQPValue::LongString(at.to_string().into()),
    }
}

/// None for what has no type in CloudEvents.
fn from_amqp(value: &AMQPValue) -> Option<AttributeValue> {
    Some(match value {
        AMQPValue::LongString(text) => match std::str::from_utf8(text.as_bytes()) {
            Ok(text) => AttributeValue::Text(text.to_owned()),
            Err(_) => AttributeValue::Binary(text.as_bytes().to_vec()),
        },
        AMQPValue::ShortString(text) => AttributeValue::Text(text.to_string()),
        AMQPValue::Boolean(yes) => AttributeValue::Boolean(*yes),
        AMQPValue::ShortShortInt(number) => AttributeValue::Integer((*number).into()),
        AMQPValue::ShortShortUInt(number) => AttributeValue::Integer((*number).into()),
        AMQPValue::ShortInt(number) => AttributeValue::Integer((*number).into()),
        AMQPValue::ShortUInt(number) => AttributeValue::Integer((*number).into()),
        AMQPValue::LongInt(number) => AttributeValue::Integer((*number).into()),
        AMQPValue::LongUInt(number) => AttributeValue::Integer((*number).into()),
        AMQPValue::LongLongInt(number) => AttributeValue::Integer(*number),
        AMQPValue::ByteArray(bytes) => AttributeValue::Binary(bytes.as_slice().to_vec()),
        AMQPValue::Timestamp(seconds) => {
            let micros = i64::try_from(*seconds).ok()?.checked_mul(1_000_000)?;
            AttributeValue::Timestamp(Timestamp::from_micros(micros))
        }
        AMQPValue::Float(_)
        | AMQPValue::Double(_)
        | AMQPValue::DecimalValue(_)
        | AMQPValue::FieldArray(_)
        | AMQPValue::FieldTable(_)
        | AMQPValue::Void => return None,
    })
}
