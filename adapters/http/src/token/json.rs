//! JSON objects in which every name stands once, at every depth.
//!
//! `{"sub":"a","sub":"b"}` means one thing to one parser and another to the next (RFC 8259, section 4);
//! a token or key that two readers may read differently is refused.

use florin_kernel::json::{MAX_DEPTH, strict};
use serde_json::{Map, Value};

/// A JSON object without repeated names.
pub(super) struct Object(Map<String, Value>);

/// A member is there and is not of the kind it must be.
pub(super) struct WrongKind;

impl Object {
    /// Reads one object and nothing after it.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        match strict(bytes, MAX_DEPTH) {
            Ok(Value::Object(members)) => Some(Self(members)),
            Ok(_) | Err(_) => None,
        }
    }

    pub(super) fn of(value: &Value) -> Option<Self> {
        value.as_object().cloned().map(Self)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A string, or nothing when the name is not there; `null` is not a string.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, WrongKind> {
        self.get(name).map(|value| value.as_str().ok_or(WrongKind)).transpose()
    }

    /// An array of strings, or nothing when the name is not there.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<&str>>, WrongKind> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let items = value.as_array().ok_or(WrongKind)?;
        items.iter().map(Value::as_str).collect::<Option<Vec<_>>>().map(Some).ok_or(WrongKind)
    }
}
