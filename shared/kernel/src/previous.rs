//! What a change touched: the members of an aggregate as they were before it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// The members to which a change gave another value, with the values that they had; `null` where the thing was made.
///
/// An event carries an aggregate as it is after the change; this says what the change was, against the version before,
/// whose number it names. Not every version has an event: a consumer that acts on what changed since the event before
/// compares with the copy it keeps. Stripe's events call it `previous_attributes`.
#[derive(Clone, Debug)]
pub struct Previous<V> {
    before: Option<V>,
    after: V,
}

impl<V> Previous<V> {
    /// What differs between these two; there is no first one of what was made.
    pub fn between(before: Option<V>, after: V) -> Self {
        Self { before, after }
    }
}

impl<V: Serialize> Serialize for Previous<V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Some(before) = &self.before else { return to.serialize_none() };
        let after = members(&self.after).map_err(S::Error::custom)?;
        let mut before = members(before).map_err(S::Error::custom)?;
        before.retain(|name, was| after.get(name) != Some(was));
        before.serialize(to)
    }
}

fn members<V: Serialize>(of: &V) -> serde_json::Result<Map<String, Value>> {
    match serde_json::to_value(of)? {
        Value::Object(members) => Ok(members),
        _ => Err(serde_json::Error::custom("an aggregate is an object")),
    }
}

impl<V: JsonSchema> JsonSchema for Previous<V> {
    fn schema_name() -> Cow<'static, str> {
        format!("Previous{}", V::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = V::json_schema(generator);
        schema.remove("required");
        schema.insert("type".to_owned(), serde_json::json!(["object", "null"]));
        schema
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Serialize)]
    struct Jar {
        label: &'static str,
        grams: i64,
        opened: Option<&'static str>,
    }

    #[test]
    fn only_what_changed_is_told_with_the_value_it_had() {
        let before = Jar { label: "plum", grams: 250, opened: None };
        let after = Jar { label: "plum", grams: 200, opened: Some("today") };
        let told = serde_json::to_value(Previous::between(Some(before), after)).unwrap();
        assert_eq!(told, json!({ "grams": 250, "opened": null }));
    }

    #[test]
    fn what_was_made_was_nothing_before() {
        let made = Jar { label: "plum", grams: 250, opened: None };
        assert_eq!(serde_json::to_value(Previous::between(None, made)).unwrap(), json!(null));
    }
}
