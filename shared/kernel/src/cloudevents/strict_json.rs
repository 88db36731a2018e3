//! An event's JSON data, which may be any JSON value (RFC 8259) in UTF-8, and what refuses it.

use serde_json::Value;

use super::error::{DecodeError, shortened};
use crate::json::{NotTaken, Reason, strict};

/// Parses JSON data.
pub(super) fn value(text: &[u8], max_depth: usize) -> Result<Value, DecodeError> {
    strict(text, max_depth).map_err(|NotTaken { pointer, reason }| match reason {
        Reason::Repeated => {
            let key = pointer.rsplit('/').next().unwrap_or_default();
            DecodeError::DataKeyRepeated { key: shortened(&key.replace("~1", "/").replace("~0", "~")) }
        }
        Reason::TooDeep(limit) => DecodeError::DataTooDeep { limit },
        Reason::Malformed(reason) => DecodeError::DataNotJson { reason },
    })
}
