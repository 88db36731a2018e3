//! An event's data as bytes with a media type, which is what every binary mode carries.

use crate::event::Data;

use super::error::DecodeError;
use super::limits::Limits;
use super::media_type::{declares_json, is_media_type};
use super::strict_json;

/// The data that these bytes are under this media type.
///
/// No bytes of no type, or of a JSON type (no JSON text is empty), are no data.
pub(super) fn from_bytes(
    content_type: Option<String>,
    bytes: impl AsRef<[u8]> + Into<Vec<u8>>,
    limits: &Limits,
) -> Result<Data, DecodeError> {
    let empty = bytes.as_ref().is_empty();
    match content_type {
        None if empty => Ok(Data::None),
        Some(json) if declares_json(&json) => {
            if empty {
                return Ok(Data::None);
            }
            let value = strict_json::value(bytes.as_ref(), limits.max_depth)?;
            Ok(Data::Json { content_type: json, value })
        }
        content_type => Ok(Data::Bytes { content_type, bytes: bytes.into() }),
    }
}

/// The `datacontenttype` to send, after a look at whether the receiver would read the same form of data.
pub(super) fn content_type(data: &Data) -> Result<Option<&str>, DecodeError> {
    let (content_type, json) = match data {
        Data::None | Data::Bytes { content_type: None, .. } => return Ok(None),
        Data::Json { content_type, .. } => (content_type, true),
        Data::Bytes { content_type: Some(content_type), .. } => (content_type, false),
    };
    if !is_media_type(content_type) {
        return Err(DecodeError::ContentType);
    }
    if declares_json(content_type) != json {
        return Err(DecodeError::DataForm);
    }
    Ok(Some(content_type))
}

/// The data as bytes: JSON as its text.
pub(super) fn to_bytes(data: &Data) -> Vec<u8> {
    match data {
        Data::None => Vec::new(),
        Data::Json { value, .. } => value.to_string().into_bytes(),
        Data::Bytes { bytes, .. } => bytes.clone(),
    }
}
