//! The outermost JSON object or array of a message, its parts still as text, no more of them than wanted.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{DecodeError, shortened};

/// A JSON object's members in their order, the values still as text.
pub(super) type Members<'m> = Vec<(String, &'m RawValue)>;

/// The members of a JSON object, refused when a key comes twice. `None` when there are more than `most`.
pub(super) fn object(body: &[u8], most: usize) -> Result<Option<Members<'_>>, DecodeError> {
    let text = text_starting_with('{', body, DecodeError::NotAnObject)?;
    let members = whole(text, Object { most })?;
    let mut seen = BTreeSet::new();
    for (name, _) in members.iter().flatten() {
        if !seen.insert(name) {
            return Err(DecodeError::Repeated { name: shortened(name) });
        }
    }
    Ok(members)
}

/// The elements of a JSON array. `None` when there are more than `most`.
pub(super) fn array(body: &[u8], most: usize) -> Result<Option<Vec<&RawValue>>, DecodeError> {
    let text = text_starting_with('[', body, DecodeError::NotAnArray)?;
    whole(text, Array { most })
}

fn text_starting_with(start: char, body: &[u8], otherwise: DecodeError) -> Result<&str, DecodeError> {
    let text =
        std::str::from_utf8(body).map_err(|error| DecodeError::NotJson { reason: error.to_string() })?;
    if text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with(start) {
        return Ok(text);
    }
    // Which of the two it is: another JSON value, or no JSON.
    Err(serde_json::from_str::<IgnoredAny>(text).err().map_or(otherwise, not_json))
}

fn whole<'de, S: DeserializeSeed<'de>>(text: &'de str, seed: S) -> Result<S::Value, DecodeError> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let parsed = seed.deserialize(&mut parser).map_err(not_json)?;
    parser.end().map_err(not_json)?;
    Ok(parsed)
}

fn not_json(error: serde_json::Error) -> DecodeError {
    DecodeError::NotJson { reason: error.to_string() }
}

struct Object {
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Object {
    type Value = Option<Members<'de>>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = Option<Members<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while members.len() < self.most {
            match map.next_entry()? {
                Some(member) => members.push(member),
                None => return Ok(Some(members)),
            }
        }
        let mut within = true;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            within = false;
        }
        Ok(within.then_some(members))
    }
}

struct Array {
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Array {
    type Value = Option<Vec<&'de RawValue>>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Array {
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < self.most {
            match list.next_element()? {
                Some(element) => elements.push(element),
                None => return Ok(Some(elements)),
            }
        }
        let mut within = true;
        while list.next_element::<IgnoredAny>()?.is_some() {
            within = false;
        }
        Ok(within.then_some(elements))
    }
}
