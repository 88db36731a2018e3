//! JSON objects in which every name stands once, at every depth.
//!
//! `{"sub":"a","sub":"b"}` means one thing to one parser and another to the next (RFC 8259, section 4);
//! a token or key that two readers may read differently is refused.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A JSON object without repeated names.
pub(super) struct Object(Map<String, Value>);

/// A member is there and is not of the kind it must be.
pub(super) struct WrongKind;

impl Object {
    /// Reads one object and nothing after it.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        match serde_json::from_slice::<Unique>(bytes) {
            Ok(Unique(Value::Object(members))) => Some(Self(members)),
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

struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(UniqueVisitor).map(Unique)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON whose objects name every member once")
    }
    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Unique(item)) = from.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Unique(value))) = from.next_entry::<String, Unique>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Value::Object(members))
    }
}
