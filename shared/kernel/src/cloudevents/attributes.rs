//! Context attributes: their names, types and characters, and how an event is put together from them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::event::{Data, Event};
use crate::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::{DecodeError, shortened};
use super::limits::Limits;
use super::media_type::is_media_type;

/// The attributes that the specification itself defines; every other name is an extension.
const CORE: [&str; 8] =
    ["specversion", "id", "source", "type", "subject", "time", "dataschema", "datacontenttype"];

/// An attribute's value in the type system of CloudEvents (specification, "Type System").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// String, URI or URI-reference, or any other type in its string form.
    Text(String),
    /// Integer; only 32 bits are conformant, more are refused.
    Integer(i64),
    /// Boolean.
    Boolean(bool),
    /// Binary; its string form is base64.
    Binary(Vec<u8>),
    /// Timestamp; its string form is RFC 3339.
    Timestamp(Timestamp),
}

impl AttributeValue {
    /// The canonical string form, unless the type is not the attribute's.
    fn into_text(self, name: &str) -> Result<String, DecodeError> {
        let core = CORE.contains(&name);
        let refuse = |expected| Err(DecodeError::Type { name: shortened(name), expected });
        match self {
            Self::Text(text) => Ok(text),
            Self::Timestamp(at) if name == "time" || !core => Ok(at.to_string()),
            _ if core => refuse("a string"),
            Self::Integer(number) => match i32::try_from(number) {
                Ok(number) => Ok(number.to_string()),
                Err(_) => refuse("an integer of 32 bits"),
            },
            Self::Boolean(yes) => Ok(yes.to_string()),
            Self::Binary(bytes) => Ok(STANDARD.encode(bytes)),
            Self::Timestamp(at) => Ok(at.to_string()),
        }
    }
}

/// The attributes of one message while it is being read.
pub(super) struct Attributes<'l> {
    limits: &'l Limits,
    texts: BTreeMap<String, String>,
    bytes: usize,
}

impl<'l> Attributes<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self { limits, texts: BTreeMap::new(), bytes: 0 }
    }

    /// Takes one attribute; each may come once.
    pub(super) fn insert(&mut self, name: &str, value: AttributeValue) -> Result<(), DecodeError> {
        check_name(name)?;
        if self.texts.len() >= self.limits.max_attributes {
            return Err(DecodeError::TooManyAttributes { limit: self.limits.max_attributes });
        }
        let text = value.into_text(name)?;
        let limit = match name {
            "id" | "source" | "type" | "subject" => self.limits.max_indexed_bytes,
            _ => self.limits.max_attribute_bytes,
        };
        if text.len() > limit {
            return Err(DecodeError::AttributeTooLarge { name: shortened(name), limit });
        }
        check_characters(name, &text)?;
        self.bytes += name.len() + text.len();
        match self.texts.entry(name.to_owned()) {
            Entry::Occupied(_) => Err(DecodeError::Repeated { name: shortened(name) }),
            Entry::Vacant(place) => {
                place.insert(text);
                Ok(())
            }
        }
    }

    /// Takes one attribute, unless it is absent.
    pub(super) fn insert_if_set(
        &mut self,
        name: &str,
        value: Option<AttributeValue>,
    ) -> Result<(), DecodeError> {
        match value {
            Some(value) => self.insert(name, value),
            None => check_name(name),
        }
    }

    /// Takes the carrier's content type, which is the `datacontenttype` of binary mode.
    pub(super) fn insert_content_type(&mut self, content_type: &str) -> Result<(), DecodeError> {
        self.insert(
            "datacontenttype",
            AttributeValue::Text(content_type.trim_matches([' ', '\t']).to_owned()),
        )
    }

    /// Bytes of all names and values so far.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The event, its data made by the closure from the `datacontenttype`.
    pub(super) fn into_event(
        mut self,
        data: impl FnOnce(Option<String>) -> Result<Data, DecodeError>,
    ) -> Result<Event, DecodeError> {
        if self.required("specversion")? != "1.0" {
            return Err(DecodeError::Version);
        }
        let time = self.texts.remove("time").map(|text| text.parse().map_err(|_| DecodeError::Time));
        let event = Event {
            id: self.required("id")?,
            source: self.required("source")?,
            kind: self.required("type")?,
            subject: self.optional("subject")?,
            time: time.transpose()?,
            dataschema: self.optional("dataschema")?,
            data: match self.optional("datacontenttype")? {
                Some(content_type) if !is_media_type(&content_type) => return Err(DecodeError::ContentType),
                content_type => data(content_type)?,
            },
            extensions: self.texts,
        };
        Ok(event)
    }

    fn required(&mut self, name: &'static str) -> Result<String, DecodeError> {
        self.optional(name)?.ok_or(DecodeError::Missing { name })
    }

    fn optional(&mut self, name: &'static str) -> Result<Option<String>, DecodeError> {
        match self.texts.remove(name) {
            Some(text) if text.is_empty() => Err(DecodeError::Empty { name }),
            found => Ok(found),
        }
    }
}

/// Every attribute of an event but `datacontenttype`, as it goes out.
///
/// Refuses what [`Attributes`] would refuse on the other side, limits aside: [`Event`]'s fields are
/// public, so it may hold anything.
pub(super) fn outgoing(event: &Event) -> Result<Vec<(&str, String)>, DecodeError> {
    let mut all = vec![("specversion", "1.0".to_owned())];
    for (name, value) in [
        ("id", Some(&event.id)),
        ("source", Some(&event.source)),
        ("type", Some(&event.kind)),
        ("subject", event.subject.as_ref()),
        ("dataschema", event.dataschema.as_ref()),
    ] {
        let Some(value) = value else { continue };
        if value.is_empty() {
            return Err(DecodeError::Empty { name });
        }
        all.push((name, value.clone()));
    }
    if let Some(at) = event.time {
        let text = at.to_string();
        // RFC 3339 has four-digit years; an instant outside of them has no text that would come back.
        if text.parse::<Timestamp>().ok() != Some(at) {
            return Err(DecodeError::Time);
        }
        all.push(("time", text));
    }
    for (name, value) in &event.extensions {
        check_name(name)?;
        if CORE.contains(&name.as_str()) {
            return Err(DecodeError::Repeated { name: name.clone() });
        }
        all.push((name, value.clone()));
    }
    for (name, value) in &all {
        check_characters(name, value)?;
    }
    Ok(all)
}

fn check_name(name: &str) -> Result<(), DecodeError> {
    let letters = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if letters && name != "data" { Ok(()) } else { Err(DecodeError::Name { name: shortened(name) }) }
}

fn check_characters(name: &str, text: &str) -> Result<(), DecodeError> {
    // Unicode's 66 noncharacters: U+FDD0 to U+FDEF, and the last two of each of the 17 planes.
    let noncharacter = |c| matches!(c, '\u{FDD0}'..='\u{FDEF}') || u32::from(c) & 0xFFFE == 0xFFFE;
    if text.chars().any(|c| c.is_control() || noncharacter(c)) {
        return Err(DecodeError::Character { name: shortened(name) });
    }
    Ok(())
}
