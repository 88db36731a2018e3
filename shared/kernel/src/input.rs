//! Parsing at the door: path, query and body become one strict request, or a problem that names the field.

use std::fmt;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde_json::{Map, Value};

use crate::door::Reads;
use crate::json::{self, escape};
use crate::list::ListOf;
use crate::problem::{FieldError, Problem, codes, shortened};

/// The most parameters and form fields of a request. Each is compared with all before it, so thousands would cost
/// seconds.
const MOST_PARAMETERS: usize = 100;

/// The fields of a request before they have types.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// Percent-decoded path parameters, query parameters and form fields, by name; and what a header or a cookie
    /// holds, by the field it fills.
    text: Vec<(String, String)>,
    /// The fields that nothing but a header or a cookie fills, and that one's name.
    bound: Vec<(&'static str, &'static str)>,
    /// The members of a JSON body.
    json: Map<String, Value>,
}

impl Input {
    /// Gives a field to a header or a cookie alone, whether it was sent or not: what a path, a query or a body says
    /// in its place is refused.
    pub fn bind(&mut self, reads: Reads, value: Option<&str>) {
        self.bound.push((reads.field(), reads.name()));
        self.text.extend(value.map(|value| (reads.field().to_owned(), value.to_owned())));
    }

    /// The header or cookie that fills this field.
    fn bound_to(&self, field: &str) -> Option<&'static str> {
        self.bound.iter().find(|(bound, _)| *bound == field).map(|(_, name)| *name)
    }

    /// Adds a parameter that is text: `limit=5` may fill an integer field. A repeated one is refused.
    pub fn parameter(&mut self, name: String, value: String) -> Result<(), Problem> {
        if self.text.len() >= MOST_PARAMETERS {
            return Err(invalid(parameter(name, "more parameters than any operation has")));
        }
        if self.bound_to(&name).is_some() {
            return Err(invalid(parameter(name, "there is no such parameter")));
        }
        if self.text.iter().any(|(n, _)| *n == name) {
            return Err(invalid(parameter(name, "given more than once")));
        }
        self.text.push((name, value));
        Ok(())
    }

    /// Takes the members of a JSON body. No body at all is an empty object.
    pub fn body(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if bytes.is_empty() {
            return Ok(());
        }
        let body = json::strict(bytes, json::MAX_DEPTH)
            .map_err(|refused| invalid(field(refused.pointer, &refused.reason.to_string())))?;
        match body {
            Value::Object(members) => {
                if let Some(name) = members.keys().find(|name| self.bound_to(name).is_some()) {
                    return Err(invalid(field(format!("/{}", escape(name)), "there is no such field")));
                }
                if let Some(name) = members.keys().find(|name| self.text.iter().any(|(n, _)| n == *name)) {
                    return Err(invalid(field(format!("/{}", escape(name)), "stands in the path already")));
                }
                self.json = members;
                Ok(())
            }
            _ => Err(invalid(field(String::new(), "the body must be a JSON object"))),
        }
    }

    /// Which list a query with these parameters shows, whatever page of it.
    pub(crate) fn list_of(&self, function: &str) -> ListOf {
        let filters = self.text.iter().filter(|(name, _)| !["cursor", "limit"].contains(&name.as_str()));
        ListOf::of(function, filters.map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// The request these fields make.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let fields = self
            .text
            .iter()
            .map(|(name, value)| (name.as_str(), Field::Text(value)))
            .chain(self.json.iter().map(|(name, value)| (name.as_str(), Field::Json(value))));
        serde_path_to_error::deserialize(MapDeserializer::new(fields)).map_err(|error| {
            let mut pointer = String::new();
            for segment in error.path() {
                match segment {
                    serde_path_to_error::Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
                    serde_path_to_error::Segment::Map { key } => {
                        pointer.push_str(&format!("/{}", escape(key)))
                    }
                    serde_path_to_error::Segment::Enum { variant } => {
                        pointer.push_str(&format!("/{}", escape(variant)));
                    }
                    serde_path_to_error::Segment::Unknown => {}
                }
            }
            let Parse(detail) = error.into_inner();
            // serde names a missing or unknown field only in its words.
            if let Some(name) = quoted(&detail, "missing field `", &["`"]) {
                pointer.push_str(&format!("/{}", escape(name)));
            } else if let Some(name) =
                quoted(&detail, "unknown field `", &["`, expected ", "`, there are no fields"])
            {
                let last = format!("/{}", escape(name));
                if !pointer.ends_with(&last) {
                    pointer.push_str(&last);
                }
            }
            let name = pointer.trim_start_matches('/').to_owned();
            if let Some(sent) = self.bound_to(&name) {
                invalid(parameter(
                    sent.to_owned(),
                    &detail.replace(&format!("`{name}`"), &format!("`{sent}`")),
                ))
            } else if self.text.iter().any(|(n, _)| *n == name) {
                invalid(parameter(name, &detail))
            } else {
                invalid(field(pointer, &detail))
            }
        })
    }
}

/// The problem of a query parameter that nobody asked for.
pub(crate) fn unknown_parameter(name: &str) -> Problem {
    invalid(parameter(name.to_owned(), "this operation takes no query parameters"))
}

/// The problem of a parameter that was understood and cannot be.
pub(crate) fn wrong_parameter(name: &str, detail: &str) -> Problem {
    invalid(parameter(name.to_owned(), detail))
}

/// What stands in a text between words it begins with and the last of the ones that end it: an unknown field's name
/// is somebody's own, and may hold the same words.
fn quoted<'a>(text: &'a str, begin: &str, ends: &[&str]) -> Option<&'a str> {
    let rest = text.strip_prefix(begin)?;
    let end = ends.iter().filter_map(|end| rest.rfind(end)).max()?;
    Some(&rest[..end])
}

fn invalid(error: FieldError) -> Problem {
    let place = error.pointer.as_deref().or(error.parameter.as_deref()).unwrap_or_default();
    let detail = if place.is_empty() { error.detail.clone() } else { format!("{place}: {}", error.detail) };
    let mut problem = codes::INVALID_REQUEST.because(detail);
    problem.errors.push(error);
    problem
}

fn field(pointer: String, detail: &str) -> FieldError {
    FieldError { pointer: Some(within(pointer)), parameter: None, detail: shortened(detail.to_owned()) }
}

fn parameter(name: String, detail: &str) -> FieldError {
    FieldError { pointer: None, parameter: Some(shortened(name)), detail: shortened(detail.to_owned()) }
}

/// The most bytes of a pointer.
const MOST_POINTED: usize = 300;

/// The pointer, or where it would be longer than anybody reads, the one to the object around the place.
fn within(mut pointer: String) -> String {
    while pointer.len() > MOST_POINTED {
        let parent = pointer.rfind('/').unwrap_or(0);
        pointer.truncate(parent);
    }
    pointer
}

/// What serde says is wrong.
#[derive(Debug)]
struct Parse(String);

impl fmt::Display for Parse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Parse {}
impl de::Error for Parse {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// A field's value: JSON, or text that turns into whatever plain type is asked of it.
#[derive(Clone, Copy)]
enum Field<'a> {
    Json(&'a Value),
    Text(&'a str),
}

impl<'de, 'a: 'de> IntoDeserializer<'de, Parse> for Field<'a> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! from_text {
    ($($method:ident $visit:ident $type:ty, $wanted:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Parse> {
            match self {
                Self::Json(value) => value.$method(visitor).map_err(de::Error::custom),
                Self::Text(text) => match text.parse::<$type>() {
                    Ok(value) => visitor.$visit(value),
                    Err(_) => Err(Parse(format!("must be {}", $wanted))),
                },
            }
        })*
    };
}

macro_rules! as_any {
    ($($method:ident($($arg:ident: $type:ty),*);)*) => {
        $(fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, Parse> {
            match self {
                Self::Json(value) => value.$method($($arg,)* visitor).map_err(de::Error::custom),
                Self::Text(text) => StrDeserializer::new(text).$method($($arg,)* visitor),
            }
        })*
    };
}

impl<'de, 'a: 'de> Deserializer<'de> for Field<'a> {
    type Error = Parse;

    // Macros, because serde asks for thirty methods of two shapes.
    from_text! {
        deserialize_bool visit_bool bool, "true or false";
        deserialize_i8 visit_i8 i8, "an integer";
        deserialize_i16 visit_i16 i16, "an integer";
        deserialize_i32 visit_i32 i32, "an integer";
        deserialize_i64 visit_i64 i64, "an integer";
        deserialize_u8 visit_u8 u8, "an integer of zero or more";
        deserialize_u16 visit_u16 u16, "an integer of zero or more";
        deserialize_u32 visit_u32 u32, "an integer of zero or more";
        deserialize_u64 visit_u64 u64, "an integer of zero or more";
    }

    as_any! {
        deserialize_any();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Parse> {
        match self {
            Self::Json(Value::Null) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Parse> {
        visitor.visit_newtype_struct(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        #[expect(dead_code, reason = "only parsed")]
        id: String,
        amount: i64,
        limit: Option<u32>,
        #[expect(dead_code, reason = "only parsed")]
        lines: Option<Vec<Line>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        #[expect(dead_code, reason = "only parsed")]
        quantity: u32,
    }

    fn parse(body: &str) -> Result<Order, Problem> {
        let mut input = Input::default();
        input.parameter("id".into(), "o1".into())?;
        input.parameter("limit".into(), "5".into())?;
        input.body(body.as_bytes())?;
        input.parse()
    }

    #[test]
    fn text_parameters_fill_typed_fields() {
        let order = parse(r#"{"amount": 7}"#).unwrap();
        assert_eq!((order.amount, order.limit), (7, Some(5)));
    }

    #[test]
    fn a_refused_field_is_named_by_its_pointer() {
        for (body, pointer) in [
            (r#"{}"#, "/amount"),
            (r#"{"amount": 1.0}"#, "/amount"),
            (r#"{"amount": 1e2}"#, "/amount"),
            (r#"{"amount": "1"}"#, "/amount"),
            (r#"{"amount": 9223372036854775808}"#, "/amount"),
            (r#"{"amount": 1, "colour": 2}"#, "/colour"),
            (r#"{"amount": 1, "amount": 1}"#, "/amount"),
            (r#"{"amount": 1, "a/b~c": 1}"#, "/a~1b~0c"),
            (r#"{"amount": 1, "a`, expected `b": 1}"#, "/a`, expected `b"),
            (r#"{"amount": 1, "lines": [{"quantity": 1}, {"quantity": -1}]}"#, "/lines/1/quantity"),
            (r#"{"amount": 1, "lines": [{"quantity": 1, "x": 1}]}"#, "/lines/0/x"),
            (r#"{"amount": 1, "lines": [{"quantity": 1, "quantity": 2}]}"#, "/lines/0/quantity"),
            (r#"{"amount": 1, "id": "o2"}"#, "/id"),
            (r#"[]"#, ""),
            (r#"{"amount": 1} x"#, ""),
        ] {
            let problem = parse(body).unwrap_err();
            assert_eq!(problem.errors[0].pointer.as_deref(), Some(pointer), "{body}: {problem:?}");
        }
    }

    #[test]
    fn a_refused_parameter_is_named() {
        let mut input = Input::default();
        input.parameter("id".into(), "o1".into()).unwrap();
        input.parameter("amount".into(), "many".into()).unwrap();
        assert_eq!(input.parse::<Order>().unwrap_err().errors[0].parameter.as_deref(), Some("amount"));
        assert!(input.parameter("id".into(), "o2".into()).is_err(), "a repeated parameter was taken");
    }

    #[test]
    fn there_are_only_so_many_parameters() {
        let mut input = Input::default();
        let taken =
            (0..1_000).take_while(|n| input.parameter(format!("p{n}"), String::new()).is_ok()).count();
        assert_eq!(taken, MOST_PARAMETERS);
    }
}
