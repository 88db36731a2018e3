//! Lists: a page at a time by cursor, in a stable order, never counted.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::View;
use crate::input;
use crate::problem::Problem;

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

/// Which list: a query and what it is narrowed to, as a short digest. Under other filters the place of a cursor means
/// something else, and an empty page would be taken for the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListOf(String);

/// The hexadecimal digits of a list's digest: enough that two lists of one tenant do not meet, and no secret.
const DIGITS: usize = 16;

impl ListOf {
    pub(crate) fn of<'a>(function: &str, filters: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut filters: Vec<_> = filters.collect();
        filters.sort_unstable();
        let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        for text in [function].into_iter().chain(filters.into_iter().flat_map(|(name, value)| [name, value]))
        {
            hash.update(text.as_bytes());
            hash.update(&[0]);
        }
        let mut digest = hex::encode(hash.finish());
        digest.truncate(DIGITS);
        Self(digest)
    }
}

/// Where a page ended: which list it is of, and the last entry's place in its order. Opaque to callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    list: ListOf,
    place: String,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("{}{}", self.list.0, self.place)))
    }
}

impl View {
    /// The place that a cursor names in this list. One of another list, or of other filters, is refused.
    pub fn place(&self, cursor: Option<Cursor>) -> Result<Option<String>, Problem> {
        match cursor {
            Some(cursor) if self.list.as_ref() != Some(&cursor.list) => Err(input::wrong_parameter(
                "cursor",
                "is of another list: the filters must be those of the page before",
            )),
            Some(cursor) => Ok(Some(cursor.place)),
            None => Ok(None),
        }
    }

    /// The page that these rows make, of which the last one only tells that there are more.
    pub fn page<T>(&self, mut rows: Vec<T>, limit: Limit, place: impl Fn(&T) -> String) -> Page<T> {
        let size = usize::try_from(limit.0).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let last = rows.last().filter(|_| more).zip(self.list.clone());
        let next_cursor = last.map(|(row, list)| Cursor { list, place: place(row) });
        Page { data: rows, next_cursor }
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
        let text = String::from_utf8(bytes).map_err(|_| NotACursor)?;
        let (list, place) = text.split_at_checked(DIGITS).ok_or(NotACursor)?;
        let fits = (1..=200).contains(&place.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        let cursor = Self { list: ListOf(list.to_owned()), place: place.to_owned() };
        if fits { Ok(cursor) } else { Err(NotACursor) }
    }
}

crate::text::text_value!(
    Cursor, "", "Where the page before ended; opaque.",
    with { "pattern": "^[A-Za-z0-9_-]+$", "maxLength": 288, "examples": ["ZDE0YTAyOGMyYTNhMmJjOXBheV8wMTkyZjBjMQ"] }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_its_query_and_its_filters_in_any_order() {
        let of = |function, filters: &[(&'static str, &'static str)]| {
            ListOf::of(function, filters.iter().copied())
        };
        let list = of("a.list", &[("x", "1"), ("y", "2")]);
        assert_eq!(of("a.list", &[("y", "2"), ("x", "1")]), list);
        for other in [
            of("b.list", &[("x", "1"), ("y", "2")]),
            of("a.list", &[("x", "1")]),
            of("a.list", &[("x", "1"), ("y", "3")]),
            of("a.list", &[("x", "1y"), ("", "2")]),
        ] {
            assert_ne!(other, list);
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_went_and_nothing_else_is_one() {
        let list = ListOf::of("payments.list_payments", [("status", "succeeded")].into_iter());
        let cursor = Cursor { list, place: "pay_0192f0c1".to_owned() };
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        let encoded = |length| URL_SAFE_NO_PAD.encode("x".repeat(length));
        for other in ["", "=", "a b", "gICA", "IA", &encoded(DIGITS), &encoded(DIGITS + 201)] {
            assert!(other.parse::<Cursor>().is_err(), "{other} was taken");
        }
    }
}
