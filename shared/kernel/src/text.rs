//! How a value with one text form is read, written, stored and described.

use std::fmt;
use std::str::FromStr;

/// Gives a type with `Display` and `FromStr` its JSON.
///
/// A macro, because these are trait implementations whose bodies are alike for every identifier,
/// currency, tenant and instant, and Rust has no other way to implement a foreign trait for a family
/// of types. Nothing in it decides anything: the text form alone does.
#[macro_export]
#[doc(hidden)]
macro_rules! __text_json {
    ($type:ty $(, <$g:ident: $bound:path>)?) => {
        impl$(<$g: $bound>)? serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
        impl<'de $(, $g: $bound)?> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// Gives a type with `Display` and `FromStr` its JSON and its schema. `with` adds members to the schema, so that
/// it says exactly which texts `FromStr` takes. A macro for the reason above.
#[macro_export]
#[doc(hidden)]
macro_rules! __text_value {
    ($type:ty, $format:expr, $description:expr $(, with $more:tt)? $(, <$g:ident: $bound:path>)?) => {
        $crate::__text_json!($type $(, <$g: $bound>)?);
        impl$(<$g: $bound>)? schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(stringify!($type))
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut schema = schemars::json_schema!({ "type": "string", "description": $description });
                let format: &str = $format;
                if !format.is_empty() {
                    schema.insert("format".into(), format.into());
                }
                $(if let serde_json::Value::Object(more) = serde_json::json!($more) {
                    schema.ensure_object().extend(more);
                })?
                schema
            }
        }
    };
}

/// Gives a type with `Display` and `FromStr` its column: text on both databases. A macro for the reason above.
#[macro_export]
#[doc(hidden)]
macro_rules! __text_column {
    ($type:ty $(, <$g:ident: $bound:path>)?) => {
        impl<DB: $crate::sqlx::Database $(, $g: $bound)?> $crate::sqlx::Type<DB> for $type
        where
            String: $crate::sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <String as $crate::sqlx::Type<DB>>::type_info()
            }
            fn compatible(ty: &DB::TypeInfo) -> bool {
                <String as $crate::sqlx::Type<DB>>::compatible(ty)
            }
        }
        impl<'q, DB: $crate::sqlx::Database $(, $g: $bound)?> $crate::sqlx::Encode<'q, DB> for $type
        where
            String: $crate::sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                to: &mut <DB as $crate::sqlx::Database>::ArgumentBuffer,
            ) -> Result<$crate::sqlx::encode::IsNull, $crate::sqlx::error::BoxDynError> {
                <String as $crate::sqlx::Encode<'q, DB>>::encode(self.to_string(), to)
            }
        }
        impl<'r, DB: $crate::sqlx::Database $(, $g: $bound)?> $crate::sqlx::Decode<'r, DB> for $type
        where
            &'r str: $crate::sqlx::Decode<'r, DB>,
        {
            fn decode(
                from: <DB as $crate::sqlx::Database>::ValueRef<'r>,
            ) -> Result<Self, $crate::sqlx::error::BoxDynError> {
                let text = <&'r str as $crate::sqlx::Decode<'r, DB>>::decode(from)?;
                Ok(text.parse()?)
            }
        }
    };
}

pub use crate::{
    __text_column as text_column, __text_enum as text_enum, __text_json as text_json,
    __text_value as text_value,
};

/// Text of 1 to `MAX` characters without control characters, from somebody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is empty, too long, or holds control characters.
#[derive(Debug, thiserror::Error)]
#[error("must have 1 to {0} characters and no control characters")]
pub struct NotText(usize);

impl<const MAX: usize> FromStr for Text<MAX> {
    type Err = NotText;
    fn from_str(text: &str) -> Result<Self, NotText> {
        // PostgreSQL cannot store U+0000; the others make logs and pages lie.
        let fits = !text.is_empty() && text.chars().count() <= MAX && !text.chars().any(char::is_control);
        if fits { Ok(Self(text.to_owned())) } else { Err(NotText(MAX)) }
    }
}

impl<const MAX: usize> serde::Serialize for Text<MAX> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de, const MAX: usize> serde::Deserialize<'de> for Text<MAX> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<const MAX: usize> schemars::JsonSchema for Text<MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Text{MAX}").into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "minLength": 1, "maxLength": MAX, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
        })
    }
}
