//! Validates values against JSON Schemas, with formats.

use boon::{Compiler, Draft, Schemas};
use serde_json::Value;

/// What is wrong with a value according to the schema at `pointer` of a document; nothing when it is valid.
pub(crate) fn wrong(document: &Value, pointer: &str, value: &Value) -> Option<String> {
    const PLACE: &str = "urn:florin:test";
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.enable_format_assertions();
    compiler.add_resource(PLACE, document.clone()).expect("the document is a resource");
    let mut schemas = Schemas::new();
    let schema = compiler.compile(&format!("{PLACE}#{pointer}"), &mut schemas).expect("the schema compiles");
    schemas.validate(value, schema).err().map(|error| error.to_string())
}
