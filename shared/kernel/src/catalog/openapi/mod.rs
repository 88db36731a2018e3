//! The OpenAPI 3.1 document: every door of the list, with what it takes, gives and refuses.

mod oauth;
mod operation;
mod problems;
mod request;
mod responses;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use self::problems::Problems;
use super::schemas::Schemas;
use super::{LICENSE, VERSION};
use crate::door::Errors;
use crate::service::Definition;

/// The OpenAPI 3.1 document of these services.
pub fn openapi(definitions: &[&'static Definition]) -> Value {
    let mut schemas = Schemas::new(SchemaSettings::draft2020_12);
    let mut problems = Problems::default();
    let mut paths = Map::new();
    for function in definitions.iter().flat_map(|definition| definition.functions) {
        let Some(at) = function.door() else { continue };
        let operation = operation::operation(function, at, &mut schemas, &mut problems);
        let path = paths.entry(at.door.path).or_insert_with(|| json!({}));
        path[at.door.method.as_str().to_ascii_lowercase()] = operation;
    }
    let tags: Vec<_> = definitions
        .iter()
        .filter(|of| of.functions.iter().any(|function| function.door().is_some()))
        .map(|of| json!({ "name": of.name, "description": of.summary }))
        .collect();
    let mut schemes = json!({ "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A signed access token (RFC 9068). Its scopes say what it opens, and its tenant is the tenant \
            of everything that is read or changed.",
    } });
    let doors = || definitions.iter().flat_map(|of| of.functions).filter_map(|f| f.door().map(|at| at.door));
    if doors().any(|door| door.reads.iter().any(|reads| reads.name() == request::CLIENT)) {
        schemes["client"] = json!({
            "type": "http",
            "scheme": "basic",
            "description": "A client's name and secret (RFC 6749, section 2.3.1).",
        });
    }
    let mut document = json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Florin",
            "version": VERSION,
            "description": DESCRIPTION,
            "license": { "name": LICENSE, "identifier": LICENSE },
        },
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": schemes,
            "parameters": { "IdempotencyKey": request::idempotency_key() },
            "headers": responses::headers(),
        },
    });
    let mut kept = schemas.settle(&mut document);
    kept.insert("Problem".to_owned(), problems::document());
    if doors().any(|door| door.errors == Errors::OAuth) {
        kept.insert("OAuthError".to_owned(), oauth::document());
    }
    document["components"]["schemas"] = kept.into();
    document["components"]["responses"] = problems.shared().into();
    document
}

const DESCRIPTION: &str = "\
An open commerce backbone. Amounts are integers in the currency's minor unit; times are RFC 3339.

Every operation that changes something takes an `Idempotency-Key`: repeat the request with the same key, and the \
same answer comes back, byte for byte. `202` says that it is under way: ask again with the same key, or read the \
thing itself.

Every no is a problem document (RFC 9457) with a stable `code`.";
