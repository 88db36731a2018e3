//! Events in HTTP messages: binary, structured and batched mode (CloudEvents HTTP binding 1.0.2).

use crate::event::Event;
use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderName, HeaderValue};

use super::attributes::{AttributeValue, Attributes, outgoing};
use super::error::{DecodeError, EncodeError, shortened};
use super::limits::Limits;
use super::media_type::{BATCH_MEDIA_TYPE, EVENT_MEDIA_TYPE, Mode, essence};
use super::{batch, data, header_text, structured};

/// The mode of a message, which its `Content-Type` alone decides.
pub fn mode(headers: &HeaderMap) -> Mode {
    // A value that is not text begins with no CloudEvents media type that this decoder could read.
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map_or(Mode::Binary, Mode::of)
}

/// The events of an HTTP request or response: one, or as many as a batch has, which may be none.
///
/// A batch is taken whole or not at all, because the one answer is for all of it; to take it apart, see
/// [`decode_batch`](super::decode_batch).
///
/// # Errors
/// The message is not a CloudEvent, or passes the limits. All are errors of the sender.
pub fn decode_http(headers: &HeaderMap, body: &[u8], limits: &Limits) -> Result<Vec<Event>, DecodeError> {
    match mode(headers) {
        Mode::Binary => Ok(vec![decode_binary(headers, body, limits)?]),
        Mode::Structured => {
            check_format(headers, EVENT_MEDIA_TYPE)?;
            Ok(vec![structured::decode_structured(body, limits)?])
        }
        Mode::Batched => {
            check_format(headers, BATCH_MEDIA_TYPE)?;
            batch::decode_batch(body, limits)?.into_iter().collect()
        }
    }
}

/// An event in binary mode: attributes as `ce-` headers, the data as the body.
///
/// Data that is itself of a CloudEvents media type goes structured instead: in binary mode its
/// content type would tell the receiver that the data is the event.
///
/// # Errors
/// The event is not one that CloudEvents allows.
pub fn encode_http_binary(event: &Event) -> Result<(HeaderMap, Vec<u8>), EncodeError> {
    let content_type = data::content_type(&event.data)?;
    if content_type.is_some_and(|content_type| Mode::of(content_type) != Mode::Binary) {
        return encode_http_structured(event);
    }
    let mut headers = HeaderMap::new();
    for (name, value) in outgoing(event)? {
        let header = HeaderName::try_from(format!("ce-{name}"))
            .map_err(|_| DecodeError::Name { name: shortened(name) })?;
        let value = HeaderValue::try_from(header_text::encode(&value)).expect("printable ASCII");
        // A header map holds 32,768; past that `insert` would panic.
        headers.try_insert(header, value).map_err(|_| DecodeError::TooManyAttributes { limit: 32_768 })?;
    }
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::try_from(content_type).expect("a media type in ASCII"));
    }
    Ok((headers, data::to_bytes(&event.data)))
}

/// An event in structured mode: all of it in the body.
///
/// # Errors
/// The event is not one that CloudEvents allows.
pub fn encode_http_structured(event: &Event) -> Result<(HeaderMap, Vec<u8>), EncodeError> {
    Ok((only_content_type(EVENT_MEDIA_TYPE), structured::encode_structured(event)?))
}

/// Events in batched mode, which is only for a receiver that asked for it.
///
/// # Errors
/// One of the events is not one that CloudEvents allows.
pub fn encode_http_batched(events: &[Event]) -> Result<(HeaderMap, Vec<u8>), EncodeError> {
    Ok((only_content_type(BATCH_MEDIA_TYPE), batch::encode_batch(events)?))
}

fn decode_binary(headers: &HeaderMap, body: &[u8], limits: &Limits) -> Result<Event, DecodeError> {
    let mut attributes = Attributes::new(limits);
    // A header that comes twice is seen twice here, so the collector refuses it.
    for (header, value) in headers {
        if header == CONTENT_TYPE {
            attributes.insert_content_type(value.to_str().map_err(|_| DecodeError::ContentType)?)?;
            continue;
        }
        let Some(name) = header.as_str().strip_prefix("ce-") else { continue };
        if name == "datacontenttype" {
            return Err(DecodeError::ContentTypeMisplaced);
        }
        let text = header_text::decode(value.as_bytes())
            .ok_or_else(|| DecodeError::Encoding { name: shortened(name) })?;
        attributes.insert(name, AttributeValue::Text(text))?;
    }
    if attributes.bytes().saturating_add(body.len()) > limits.max_event_bytes {
        return Err(DecodeError::EventTooLarge { limit: limits.max_event_bytes });
    }
    attributes.into_event(|content_type| data::from_bytes(content_type, body, limits))
}

/// Structured and batched mode exist in JSON only; parameters such as a charset do not matter, JSON is UTF-8.
fn check_format(headers: &HeaderMap, wanted: &str) -> Result<(), DecodeError> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let content_type = values.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    if values.next().is_some() {
        return Err(DecodeError::Repeated { name: "datacontenttype".to_owned() });
    }
    if !essence(content_type).eq_ignore_ascii_case(wanted) {
        return Err(DecodeError::FormatUnsupported { content_type: shortened(content_type) });
    }
    Ok(())
}

fn only_content_type(media_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers
}
