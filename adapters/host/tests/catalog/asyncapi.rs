//! The AsyncAPI document is valid and names who tells and who listens.

use florin_host::services::SERVICES;
use florin_kernel::catalog;
use florin_servers::Part;
use serde_json::json;

use crate::json_schema::wrong;
use crate::validate::refused;

const VALIDATOR: &str = "
import json, sys
from jsonschema import Draft7Validator
schema = json.load(open(sys.argv[2]))
errors = list(Draft7Validator(schema).iter_errors(json.load(open(sys.argv[1]))))
for error in errors:
    print('/'.join(map(str, error.absolute_path)), error.message[:500])
sys.exit(bool(errors))
";

#[test]
fn the_asyncapi_document_is_valid() {
    let Some(schema) = Part::AsyncApi.needed() else { return };
    let document = catalog::asyncapi(SERVICES);
    if let Some(verdict) = refused(VALIDATOR, "asyncapi.json", &document, &[&schema]) {
        verdict.unwrap_or_else(|why| panic!("{why}"));
    }
    let mut broken = document;
    broken["operations"]["audit.record_event.on.florin.payment.created.v1"]["action"] = json!("subscribe");
    if let Some(verdict) = refused(VALIDATOR, "asyncapi-broken.json", &broken, &[&schema]) {
        assert!(verdict.is_err(), "an action that AsyncAPI 3 does not know was let through");
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = catalog::asyncapi(SERVICES);
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect<'a>(value: &'a serde_json::Value, references: &mut Vec<&'a str>) {
    if let Some(reference) = value.get("$ref").and_then(|r| r.as_str()) {
        references.push(reference);
    }
    match value {
        serde_json::Value::Object(members) => members.values().for_each(|v| collect(v, references)),
        serde_json::Value::Array(values) => values.iter().for_each(|v| collect(v, references)),
        _ => {}
    }
}

#[test]
fn every_event_type_has_a_sender_and_every_reaction_its_channels() {
    let document = catalog::asyncapi(SERVICES);
    let operations = document["operations"].as_object().expect("operations");
    for event in catalog::emitted(SERVICES) {
        let kind = event.entry.kind;
        assert_eq!(document["channels"][kind]["address"], kind);
        for service in &event.producers {
            assert_eq!(operations[&format!("{service}.emit.{kind}")]["action"], "send");
        }
        // The audit service wants everything.
        let on = &operations[&format!("audit.record_event.on.{kind}")];
        assert_eq!((&on["action"], &on["x-florin-queue"]), (&json!("receive"), &json!("audit.record_event")));
    }
    // The audit service tells what an operator did to its letters, and nothing else.
    for service in ["payments", "audit"] {
        assert!(operations.contains_key(&format!("{service}.emit.florin.audit.operation.v1")));
    }
}

#[test]
fn every_example_is_as_its_messages_payload_says() {
    let document = catalog::asyncapi(SERVICES);
    for event in catalog::emitted(SERVICES) {
        let message = &document["components"]["messages"][event.entry.kind];
        let payload = message["payload"]["$ref"].as_str().expect("a reference").trim_start_matches('#');
        let example = &message["examples"][0]["payload"];
        assert!(example.is_object(), "{}", event.entry.kind);
        assert_eq!(wrong(&document, payload, example), None, "{}", event.entry.kind);
    }
}
