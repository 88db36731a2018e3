//! The members of HTTP events that are read; one shape holds those of every front, each uses its own.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// An HTTP event of any front. `null` and absent are the same everywhere.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpEvent {
    pub(crate) version: Option<String>,
    pub(crate) http_method: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) raw_path: Option<String>,
    pub(crate) raw_query_string: Option<String>,
    pub(crate) cookies: Option<Vec<String>>,
    pub(crate) headers: Option<Members<String>>,
    pub(crate) multi_value_headers: Option<Members<Vec<String>>>,
    pub(crate) query_string_parameters: Option<Members<String>>,
    pub(crate) multi_value_query_string_parameters: Option<Members<Vec<String>>>,
    pub(crate) request_context: Context,
    pub(crate) body: Option<String>,
    pub(crate) is_base64_encoded: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Context {
    pub(crate) api_id: Option<String>,
    pub(crate) domain_name: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) http: Option<HttpContext>,
}

#[derive(Deserialize)]
pub(crate) struct HttpContext {
    pub(crate) method: String,
}

/// The members of a JSON object in the order they were sent, repeated names kept.
pub(crate) struct Members<V>(Vec<(String, V)>);

impl Members<String> {
    /// Every name with its one value.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Members<Vec<String>> {
    /// Every name as often as it has values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(name, values)| values.iter().map(|value| (name.as_str(), value.as_str())))
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Members<V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for InOrder<V> {
            type Value = Members<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        from.deserialize_map(InOrder(PhantomData))
    }
}
