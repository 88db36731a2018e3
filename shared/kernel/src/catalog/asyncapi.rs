//! The AsyncAPI 3.0 document: a channel for each event type, who sends it and who receives it.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use super::{Emitted, LICENSE, VERSION, emitted, spoken};
use crate::service::Definition;

/// The AsyncAPI 3.0.0 document of these services.
///
/// It names no server and no binding: which broker carries an event is the deployment's choice, and the same
/// CloudEvent arrives from each of them.
pub fn asyncapi(definitions: &[&'static Definition]) -> Value {
    // Draft 07 is the dialect that AsyncAPI's own schema object extends.
    let mut schemas = Schemas::new(SchemaSettings::draft07);
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for event in emitted(definitions) {
        let kind = event.entry.kind;
        channels.insert(kind.to_owned(), channel(&event));
        operations.extend(event.producers.iter().map(|service| {
            let summary = format!("The service {service} tells: {}", event.entry.summary);
            (format!("{service}.emit.{kind}"), operation("send", kind, service, &summary))
        }));
        operations.extend(event.consumers.iter().map(|function| {
            let service = function.split_once('.').map_or(*function, |(service, _)| service);
            let mut receive = operation("receive", kind, service, &spoken(function));
            receive["x-florin-function"] = json!(function);
            receive["x-florin-queue"] = json!(function);
            (format!("{function}.on.{kind}"), receive)
        }));
        messages.insert(kind.to_owned(), message(&event, schemas.answer(event.entry.schema)));
    }
    let tags: Vec<_> =
        definitions.iter().map(|of| json!({ "name": of.name, "description": of.summary })).collect();
    let mut document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Florin events",
            "version": VERSION,
            "description": "What Florin's services tell the world, as CloudEvents 1.0. Within `.v1` changes are \
                additive: ignore fields, values and types that you do not know. Deliveries repeat and arrive in \
                any order: keep the largest `sequence` of a subject.",
            "license": { "name": LICENSE },
            "tags": tags,
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages, "messageTraits": { "CloudEvent": cloud_event() } },
    });
    let schemas = schemas.settle(&mut document);
    document["components"]["schemas"] = schemas.into();
    document
}

fn channel(event: &Emitted) -> Value {
    let kind = event.entry.kind;
    json!({
        "address": kind,
        "summary": event.entry.summary,
        "messages": { kind: { "$ref": format!("#/components/messages/{kind}") } },
    })
}

fn operation(action: &str, kind: &str, service: &str, summary: &str) -> Value {
    json!({
        "action": action,
        "channel": { "$ref": format!("#/channels/{kind}") },
        "summary": summary,
        "tags": [{ "name": service }],
        "messages": [{ "$ref": format!("#/channels/{kind}/messages/{kind}") }],
    })
}

fn message(event: &Emitted, payload: Value) -> Value {
    let kind = event.entry.kind;
    let sources: Vec<_> = event.producers.iter().map(|service| format!("/florin/{service}")).collect();
    let example: Value = serde_json::from_str(event.entry.example).unwrap_or_default();
    json!({
        "name": kind,
        "title": event.entry.summary,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": { "type": { "const": kind }, "source": { "enum": sources } },
        },
        "payload": payload,
        "examples": [{ "name": "example", "payload": example }],
        "traits": [{ "$ref": "#/components/messageTraits/CloudEvent" }],
    })
}

/// The attributes of every event (CloudEvents 1.0.2), by their names there; each protocol's binding says how
/// they travel.
fn cloud_event() -> Value {
    let attribute =
        |description: &str| json!({ "type": "string", "minLength": 1, "description": description });
    let mut time = attribute("When it happened (RFC 3339).");
    time["format"] = json!("date-time");
    let mut traceparent = attribute("The W3C trace that the event belongs to.");
    traceparent["pattern"] = json!("^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$");
    let mut sequence = attribute("The subject's version after the change, as a decimal number.");
    sequence["pattern"] = json!("^[0-9]+$");
    json!({
        "description": "The CloudEvents attributes that every event of Florin carries.",
        "headers": {
            "type": "object",
            "required": ["specversion", "id", "source", "type", "subject", "time", "sequence", "tenant"],
            "properties": {
                "specversion": { "const": "1.0" },
                "id": attribute("Unique within `source`: with it a delivery that repeats is known."),
                "source": attribute("The service it comes from."),
                "type": attribute("The event type."),
                "subject": attribute("The aggregate it is about."),
                "time": time,
                "datacontenttype": { "const": "application/json" },
                "sequence": sequence,
                "tenant": attribute("The tenant it happened in."),
                "traceparent": traceparent,
            },
        },
    })
}
