//! One event as a JSON object (CloudEvents JSON format 1.0.2), the body of structured mode everywhere.

use crate::event::{Data, Event};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::attributes::{AttributeValue, Attributes, outgoing};
use super::error::{DecodeError, EncodeError, shortened};
use super::limits::Limits;
use super::media_type::declares_json;
use super::{data, raw_json, strict_json};

/// An event as one JSON object. Bytes go as `data_base64`, JSON as it is under `data`.
///
/// # Errors
/// The event is not one that CloudEvents allows.
pub fn encode_structured(event: &Event) -> Result<Vec<u8>, EncodeError> {
    Ok(Structured::of(event)?.to_json().into_bytes())
}

/// The event that a JSON object is.
///
/// Strict: no key twice, attribute values are strings, integers of 32 bits or booleans, `null` is absent.
/// Without `datacontenttype`, `data` is JSON; under a media type that is not JSON it is a string whose
/// UTF-8 bytes are the data.
///
/// # Errors
/// The text is not such an object, or passes the limits.
pub fn decode_structured(body: &[u8], limits: &Limits) -> Result<Event, DecodeError> {
    if body.len() > limits.max_event_bytes {
        return Err(DecodeError::EventTooLarge { limit: limits.max_event_bytes });
    }
    from_members(members(body, limits)?, limits)
}

/// The members of an event's JSON object, or of an envelope's, as many as an event may have.
pub(super) fn members<'m>(body: &'m [u8], limits: &Limits) -> Result<raw_json::Members<'m>, DecodeError> {
    // `data` and `data_base64` are no attributes.
    let most = limits.max_attributes.saturating_add(2);
    raw_json::object(body, most)?.ok_or(DecodeError::TooManyAttributes { limit: limits.max_attributes })
}

/// The event whose JSON members these are.
pub(super) fn from_members(members: raw_json::Members<'_>, limits: &Limits) -> Result<Event, DecodeError> {
    let mut attributes = Attributes::new(limits);
    let (mut plain, mut base64) = (None, None);
    for (name, raw) in members {
        match name.as_str() {
            "data" => plain = Some(raw),
            "data_base64" => base64 = Some(raw),
            _ => attributes.insert_if_set(&name, attribute(&name, raw)?)?,
        }
    }
    // The format's own JSON Schema lets `data_base64` be null, which can only mean that it is not there.
    let base64 = base64.filter(|raw| raw.get() != "null");
    attributes.into_event(|content_type| match (plain, base64) {
        (Some(_), Some(_)) => Err(DecodeError::DataTwice),
        (None, None) => Ok(Data::None),
        (None, Some(raw)) => {
            let text: String = serde_json::from_str(raw.get()).map_err(|_| DecodeError::DataNotBase64)?;
            let bytes = STANDARD.decode(text).map_err(|_| DecodeError::DataNotBase64)?;
            data::from_bytes(content_type, bytes, limits)
        }
        (Some(raw), None) => match content_type {
            Some(other) if !declares_json(&other) => {
                let text: String = serde_json::from_str(raw.get()).map_err(|_| DecodeError::DataNotText)?;
                Ok(Data::Bytes { content_type: Some(other), bytes: text.into_bytes() })
            }
            json => Ok(Data::Json {
                content_type: json.unwrap_or_else(|| "application/json".to_owned()),
                value: strict_json::value(raw.get().as_bytes(), limits.max_depth)?,
            }),
        },
    })
}

/// An attribute's value in the types of the JSON format (section 2.2), or none for `null`.
fn attribute(name: &str, raw: &RawValue) -> Result<Option<AttributeValue>, DecodeError> {
    let text = raw.get();
    Ok(Some(match text.as_bytes() {
        b"null" => return Ok(None),
        b"true" => AttributeValue::Boolean(true),
        b"false" => AttributeValue::Boolean(false),
        // What the parser let through and is no text has a surrogate without its other half.
        [b'"', ..] => AttributeValue::Text(
            serde_json::from_str(text).map_err(|_| DecodeError::Character { name: shortened(name) })?,
        ),
        _ => match text.parse() {
            Ok(number) => AttributeValue::Integer(number),
            Err(_) => {
                let expected = "a string, an integer of 32 bits or a boolean";
                return Err(DecodeError::Type { name: shortened(name), expected });
            }
        },
    }))
}

/// An event that may go out, with its attributes as they do.
pub(super) struct Structured<'e> {
    attributes: Vec<(&'e str, String)>,
    content_type: Option<&'e str>,
    data: &'e Data,
}

impl<'e> Structured<'e> {
    pub(super) fn of(event: &'e Event) -> Result<Self, DecodeError> {
        let content_type = data::content_type(&event.data)?;
        Ok(Self { attributes: outgoing(event)?, content_type, data: &event.data })
    }

    /// The JSON text.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text keys, and values that are JSON")
    }
}

impl Serialize for Structured<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_map(None)?;
        for (name, value) in &self.attributes {
            object.serialize_entry(name, value)?;
        }
        if let Some(content_type) = self.content_type {
            object.serialize_entry("datacontenttype", content_type)?;
        }
        match self.data {
            Data::None => {}
            Data::Json { value, .. } => object.serialize_entry("data", value)?,
            Data::Bytes { bytes, .. } => object.serialize_entry("data_base64", &STANDARD.encode(bytes))?,
        }
        object.end()
    }
}
