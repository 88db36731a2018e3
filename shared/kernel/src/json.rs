//! JSON without what lets two readers disagree: no name twice in an object, no depth that exhausts a stack.
//!
//! `{"sub":"a","sub":"b"}` means one thing to one parser and another to the next (RFC 8259, section 4), so a
//! request, a token or an event that says it is refused.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep arrays and objects may nest where nobody says otherwise.
pub const MAX_DEPTH: usize = 64;

/// Why a text is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotTaken {
    /// Where: a JSON pointer (RFC 6901), empty for the whole.
    pub pointer: String,
    /// What is wrong there.
    pub reason: Reason,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// An object names a member twice.
    #[error("the key stands twice")]
    Repeated,
    /// It nests deeper than this.
    #[error("it is nested deeper than {0} levels")]
    TooDeep(usize),
    /// It is not JSON.
    #[error("{0}")]
    Malformed(String),
}

/// Reads one JSON value and nothing after it.
///
/// # Errors
/// The text is not JSON, names a member twice, or nests deeper than `max_depth`.
pub fn strict(text: &[u8], max_depth: usize) -> Result<Value, NotTaken> {
    let found = Found::default();
    let mut pointer = String::new();
    let mut parser = serde_json::Deserializer::from_slice(text);
    let parsed =
        Strict { depth: 0, max_depth, found: &found, pointer: &mut pointer }.deserialize(&mut parser);
    parsed.and_then(|value| parser.end().map(|()| value)).map_err(|error| NotTaken {
        reason: found.0.take().unwrap_or_else(|| Reason::Malformed(error.to_string())),
        pointer,
    })
}

/// A member's name as a step of a JSON pointer (RFC 6901, section 3).
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// serde's errors are texts, so what was wrong is left here.
#[derive(Default)]
struct Found(Cell<Option<Reason>>);

impl Found {
    fn refuse<E: Error>(&self, reason: Reason) -> E {
        let text = E::custom(&reason);
        self.0.set(Some(reason));
        text
    }
}

/// Reads the value at this place.
struct Strict<'a> {
    depth: usize,
    max_depth: usize,
    found: &'a Found,
    pointer: &'a mut String,
}

impl Strict<'_> {
    fn enter<E: Error>(&self) -> Result<(), E> {
        if self.depth >= self.max_depth {
            return Err(self.found.refuse(Reason::TooDeep(self.max_depth)));
        }
        Ok(())
    }

    /// The place one step further.
    fn inner(&mut self, step: &str) -> Strict<'_> {
        self.pointer.push('/');
        self.pointer.push_str(step);
        Strict { depth: self.depth + 1, max_depth: self.max_depth, found: self.found, pointer: self.pointer }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Value, E> {
        Ok(Value::Bool(yes))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Value, A::Error> {
        self.enter()?;
        let here = self.pointer.len();
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self.inner(&values.len().to_string()))? {
            values.push(value);
            self.pointer.truncate(here);
        }
        self.pointer.truncate(here);
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<Value, A::Error> {
        self.enter()?;
        let here = self.pointer.len();
        let mut members = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            let found = self.found;
            let inner = self.inner(&escape(&name));
            if members.contains_key(&name) {
                return Err(found.refuse(Reason::Repeated));
            }
            let value = object.next_value_seed(inner)?;
            members.insert(name, value);
            self.pointer.truncate(here);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        for (text, pointer, reason) in [
            (r#"{"a": {"b": 1, "b": 2}}"#, "/a/b", Reason::Repeated),
            (r#"[{}, {"x/y": 1, "x/y": 1}]"#, "/1/x~1y", Reason::Repeated),
            (deep.as_str(), &"/0".repeat(64), Reason::TooDeep(64)),
        ] {
            let refused = strict(text.as_bytes(), MAX_DEPTH).unwrap_err();
            assert_eq!((refused.pointer.as_str(), refused.reason), (pointer, reason), "{text}");
        }
        for text in ["", "{", "1 2", "nul", "{\"a\": 1e999}"] {
            let refused = strict(text.as_bytes(), MAX_DEPTH).unwrap_err();
            assert!(matches!(refused.reason, Reason::Malformed(_)), "{text}: {refused:?}");
        }
    }

    #[test]
    fn what_is_right_is_what_serde_json_reads() {
        let text = r#"{"a": [1, -2, 3.5, 18446744073709551615, "x", null, true], "b": {}}"#;
        let plain: Value = serde_json::from_str(text).unwrap();
        assert_eq!(strict(text.as_bytes(), MAX_DEPTH).unwrap(), plain);
    }
}
