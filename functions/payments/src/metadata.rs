//! Metadata: what a merchant hangs on a payment or refund; kept and given back, never read.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use florin_kernel::text::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// At most 50 entries, keys of 40 and values of 500 characters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "BTreeMap<Text<40>, Text<500>>")]
#[schemars(inline, transform = bounded)]
pub(crate) struct Metadata(BTreeMap<Text<40>, Text<500>>);

const MOST: usize = 50;

/// Adds what a map's schema does not say by itself: how many entries, and which keys.
fn bounded(schema: &mut schemars::Schema) {
    let key = Text::<40>::json_schema(&mut schemars::SchemaGenerator::default());
    schema.insert("propertyNames".into(), key.to_value());
    schema.insert("maxProperties".into(), MOST.into());
}

impl TryFrom<BTreeMap<Text<40>, Text<500>>> for Metadata {
    type Error = &'static str;
    fn try_from(entries: BTreeMap<Text<40>, Text<500>>) -> Result<Self, Self::Error> {
        if entries.len() <= MOST { Ok(Self(entries)) } else { Err("must have at most 50 entries") }
    }
}

impl fmt::Display for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Metadata {
    type Err = serde_json::Error;
    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

florin_kernel::text::text_column!(Metadata);
