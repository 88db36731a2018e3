//! One operation of the document.

use serde_json::{Map, Value, json};

use super::problems::Problems;
use super::{request, responses};
use crate::catalog::schemas::Schemas;
use crate::catalog::{first_sentence, spoken};
use crate::door::{Access, Door, Method};
use crate::function::{DoorRoom, Function, Room};

pub(super) fn operation(
    function: &Function,
    at: &DoorRoom,
    schemas: &mut Schemas,
    problems: &mut Problems,
) -> Value {
    let (name, members) = schemas.request(at.request);
    let described = members.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    let request = request::split(&at.door, &name, members, schemas);
    let summary = match first_sentence(&described) {
        sentence if sentence.is_empty() => spoken(function.name),
        sentence => sentence,
    };
    let mut operation = Map::new();
    let mut set = |name: &str, value: Value| operation.insert(name.to_owned(), value);
    if described.trim_end_matches('.') != summary {
        set("description", described.into());
    }
    set("operationId", function.name.into());
    set("summary", summary.into());
    set("tags", json!([function.service()]));
    let client = at.door.reads.iter().any(|reads| reads.name() == request::CLIENT);
    match at.door.access {
        // OpenAPI 3.1 lets every kind of security scheme name what is needed of it.
        Access::Scope(scope) => {
            set("security", json!([{ "bearer": [scope] }]));
            set("x-florin-scope", scope.into());
        }
        // A client that has a secret says it; another one names itself in what it sends.
        Access::Public if client => {
            set("security", json!([{ "client": [] }, {}]));
        }
        Access::Public => {
            set("security", json!([]));
        }
    }
    let mut parameters = request.parameters;
    if takes_key(function, &at.door) {
        parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
    }
    if !parameters.is_empty() {
        set("parameters", parameters.into());
    }
    let answers = responses::responses(function, at, request.body.is_some(), schemas, problems);
    if let Some(body) = request.body {
        set("requestBody", body);
    }
    set("responses", answers);
    operation.into()
}

/// Whether an `Idempotency-Key` means something here. A browser that follows a link sends none.
pub(super) fn takes_key(function: &Function, door: &Door) -> bool {
    matches!(function.room, Room::Command(_)) && door.method != Method::Get
}
