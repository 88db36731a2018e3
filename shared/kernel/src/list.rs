//! Lists: a page at a time by cursor, in a stable order, never counted.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many entries a page has: 1 to 100, 20 when not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Limit(i64);

impl Limit {
    /// The number of rows to ask for: one more than the page, to know whether there is a next one.
    pub fn rows(self) -> i64 {
        self.0 + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

impl From<Limit> for i64 {
    fn from(limit: Limit) -> i64 {
        limit.0
    }
}

impl TryFrom<i64> for Limit {
    type Error = &'static str;
    fn try_from(limit: i64) -> Result<Self, Self::Error> {
        if (1..=100).contains(&limit) { Ok(Self(limit)) } else { Err("must be 1 to 100") }
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 20 })
    }
}

/// Where a page ended: the last entry's place in the order. Opaque to callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor behind this place.
    pub fn behind(place: impl fmt::Display) -> Self {
        Self(place.to_string())
    }

    /// The place.
    pub fn place(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

/// The text is not a cursor of ours.
#[derive(Debug, thiserror::Error)]
#[error("not a cursor: use next_cursor of the page before")]
pub struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;
    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotACursor)?;
        let place = String::from_utf8(bytes).map_err(|_| NotACursor)?;
        let fits = (1..=200).contains(&place.len()) && place.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(place)) } else { Err(NotACursor) }
    }
}

crate::text::text_value!(
    Cursor, "", "Where the page before ended; opaque.",
    with { "pattern": "^[A-Za-z0-9_-]+$", "maxLength": 267, "examples": ["cGF5XzAxOTJmMGMx"] }
);

/// One page.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The entries.
    pub data: Vec<T>,
    /// For the next page; null on the last one.
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// The page that these rows make, of which the last one only tells that there are more.
    pub fn of(mut rows: Vec<T>, limit: Limit, place: impl Fn(&T) -> String) -> Self {
        let size = usize::try_from(limit.0).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let next_cursor = more.then(|| rows.last().map(|row| Cursor::behind(place(row)))).flatten();
        Self { data: rows, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_and_nothing_else_is_one() {
        let cursor = Cursor::behind("pay_0192f0c1");
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        for other in ["", "=", "a b", "gICA", "IA", &URL_SAFE_NO_PAD.encode("x".repeat(201))] {
            assert!(other.parse::<Cursor>().is_err(), "{other} was taken");
        }
    }
}
