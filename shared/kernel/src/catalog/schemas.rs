//! One set of schemas for a document: what goes in and what comes out are two readings of the same types.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

/// A function that gives the schema of one type, as the list of functions holds it.
type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// Where a document keeps its schemas.
const KEPT: &str = "#/components/schemas/";

/// Where references of requests point until [`Schemas::settle`]: a field with a default may be left out going
/// in and always stands coming out, so that a type may need two schemas of one name.
const ASKED: &str = "#/components/requests/";

/// The schemas of one document, each written once.
pub(super) struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Schemas {
    /// For a document in this dialect.
    pub(super) fn new(dialect: fn() -> SchemaSettings) -> Self {
        let at = |path: &str| {
            let path = path.trim_start_matches('#').trim_end_matches('/').to_owned();
            dialect().with(|settings| settings.definitions_path = path.into())
        };
        Self {
            requests: at(ASKED).for_deserialize().into_generator(),
            answers: at(KEPT).for_serialize().into_generator(),
        }
    }

    /// The schema of what comes out: a reference, or the schema itself of a plain type.
    pub(super) fn answer(&mut self, of: SchemaOf) -> Value {
        of(&mut self.answers).to_value()
    }

    /// The schema of a request with its name. It is taken out of the document, to be split into its parts.
    pub(super) fn request(&mut self, of: SchemaOf) -> (String, Map<String, Value>) {
        let mut schema = of(&mut self.requests).to_value();
        let mut name = "Request".to_owned();
        if let Some(referred) = schema.get("$ref").and_then(|r| r.as_str()?.strip_prefix(ASKED)) {
            name = referred.to_owned();
            schema = self.requests.definitions_mut().remove(&name).unwrap_or_default();
        }
        match schema {
            Value::Object(members) => (name, members),
            _ => (name, Map::new()),
        }
    }

    /// Puts the part of a request that is its body back, under the request's name.
    pub(super) fn keep_request(&mut self, name: &str, schema: Value) -> Value {
        self.requests.definitions_mut().insert(name.to_owned(), schema);
        serde_json::json!({ "$ref": format!("{ASKED}{name}") })
    }

    /// Every schema by name, and every reference of the document pointed at them.
    pub(super) fn settle(mut self, document: &mut Value) -> Map<String, Value> {
        let mut kept: BTreeMap<String, Value> = self.answers.take_definitions(true).into_iter().collect();
        let asked = self.requests.take_definitions(true);
        // A request's type of which answers have another reading stands beside it under a name of its own.
        let renamed: BTreeMap<String, String> = asked
            .iter()
            .filter(|(name, schema)| kept.get(*name).is_some_and(|other| other != *schema))
            .map(|(name, _)| (name.clone(), format!("{name}Request")))
            .collect();
        for (name, mut schema) in asked {
            point(&mut schema, &renamed);
            kept.insert(renamed.get(&name).cloned().unwrap_or(name), schema);
        }
        point(document, &renamed);
        kept.into_iter().collect()
    }
}

/// Turns references to requests into references to where they are kept.
fn point(value: &mut Value, renamed: &BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member.as_str().and_then(|text| text.strip_prefix(ASKED)) {
                    Some(asked) if name == "$ref" => {
                        let kept = renamed.get(asked).map_or(asked, String::as_str);
                        *member = format!("{KEPT}{kept}").into();
                    }
                    _ => point(member, renamed),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| point(value, renamed)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Address {
        #[serde(default)]
        city: String,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Move {
        to: Address,
    }

    #[test]
    fn a_type_that_reads_differently_going_in_has_two_schemas() {
        let mut schemas = Schemas::new(SchemaSettings::draft2020_12);
        let answer = schemas.answer(SchemaGenerator::subschema_for::<Address>);
        let (name, request) = schemas.request(SchemaGenerator::subschema_for::<Move>);
        assert_eq!(name, "Move");
        let body = schemas.keep_request(&name, request.into());
        let mut document = json!({ "answer": answer, "body": body });
        let kept = schemas.settle(&mut document);
        assert_eq!(document["body"]["$ref"], "#/components/schemas/Move");
        assert_eq!(kept["Move"]["properties"]["to"]["$ref"], "#/components/schemas/AddressRequest");
        assert_eq!(kept["Address"]["required"], json!(["city"]));
        assert_eq!(kept["AddressRequest"].get("required"), None);
    }
}
