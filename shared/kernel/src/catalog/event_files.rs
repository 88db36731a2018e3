//! The files of the directory events/: a JSON Schema for each event type, and the AsyncAPI document.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{asyncapi, emitted};
use crate::function::EventEntry;
use crate::service::Definition;

/// Name and text of each generated file. The examples beside them are written by hand.
pub fn event_files(definitions: &[&'static Definition]) -> Vec<(String, String)> {
    let schemas = emitted(definitions)
        .into_iter()
        .map(|event| (format!("{}.schema.json", event.entry.kind), text(&schema(&event.entry))));
    schemas.chain([("asyncapi.json".to_owned(), text(&asyncapi(definitions)))]).collect()
}

/// The schema of an event's data, complete in itself (JSON Schema 2020-12).
fn schema(of: &EventEntry) -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut data = (of.schema)(&mut generator).to_value();
    let mut definitions = generator.take_definitions(true);
    // The data's own type is the document; what it refers to stays beside it.
    if let Some(own) =
        data.get("$ref").and_then(|r| definitions.shift_remove(r.as_str()?.strip_prefix("#/$defs/")?))
    {
        data = own;
    }
    let mut document = Map::new();
    document.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    document.insert("$id".to_owned(), json!(format!("urn:florin:event:{}", of.kind)));
    document.insert("title".to_owned(), json!(of.kind));
    document.insert("description".to_owned(), json!(of.summary));
    if let Value::Object(members) = data {
        document.extend(members.into_iter().filter(|(name, _)| name != "title" && name != "description"));
    }
    if !definitions.is_empty() {
        document.insert("$defs".to_owned(), definitions.into());
    }
    document.into()
}

fn text(document: &Value) -> String {
    format!("{document:#}\n")
}
