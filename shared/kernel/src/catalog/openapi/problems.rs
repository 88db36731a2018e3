//! The problems of an operation, grouped by status, with the codes that each may carry.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::operation::takes_key;
use super::responses::header;
use crate::door::Access;
use crate::function::{DoorRoom, Function, Room};
use crate::problem::{Class, Code, PROBLEM_JSON, codes};

/// The responses that operations share, each written once.
#[derive(Default)]
pub(super) struct Problems {
    shared: BTreeMap<String, Value>,
}

impl Problems {
    /// The problems of an operation by status, in rising order.
    pub(super) fn of(
        &mut self,
        function: &Function,
        at: &DoorRoom,
        has_body: bool,
    ) -> impl Iterator<Item = (String, Value)> {
        let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
        for code in listed(function, at, has_body) {
            by_status.entry(code.class.status()).or_default().push(code);
        }
        let responses: Vec<_> = by_status
            .into_iter()
            .map(|(status, listed)| {
                let response = response(at, &listed);
                let own = listed.iter().any(|code| at.refuses.contains(code));
                (status.to_string(), if own { response } else { self.share(listed[0].class, response) })
            })
            .collect();
        responses.into_iter()
    }

    /// A reference to this response, which is kept under its class's name unless another one is.
    fn share(&mut self, class: Class, response: Value) -> Value {
        let name = format!("{class:?}");
        if *self.shared.entry(name.clone()).or_insert_with(|| response.clone()) != response {
            return response;
        }
        json!({ "$ref": format!("#/components/responses/{name}") })
    }

    /// The responses that operations refer to.
    pub(super) fn shared(self) -> Map<String, Value> {
        self.shared.into_iter().collect()
    }
}

/// Every code that a door may answer, each once.
pub(super) fn listed(function: &Function, at: &DoorRoom, has_body: bool) -> Vec<Code> {
    let mut listed = Vec::new();
    for code in of_every_door(function, at, has_body).iter().chain(at.refuses) {
        if !listed.contains(code) {
            listed.push(*code);
        }
    }
    listed
}

/// What a front answers before it knows which door was meant: problems, in whatever words that door speaks.
pub(super) const BEFORE_THE_DOOR: [Code; 8] = [
    codes::INVALID_PATH,
    codes::AMBIGUOUS_PATH,
    codes::INVALID_QUERY,
    codes::INVALID_HOST,
    codes::INVALID_METHOD,
    codes::INVALID_HEADER,
    codes::INVALID_BODY_ENCODING,
    codes::MALFORMED_EVENT,
];

/// What the corridor and the front may answer before or beside the room.
fn of_every_door(function: &Function, at: &DoorRoom, has_body: bool) -> Vec<Code> {
    let mut every = vec![codes::INVALID_REQUEST];
    every.extend(BEFORE_THE_DOOR);
    match at.door.access {
        Access::Scope(_) => every.extend([codes::UNAUTHENTICATED, codes::FORBIDDEN]),
        Access::Public => every.push(codes::NOT_FOUND),
    }
    if has_body {
        every.extend([codes::REQUEST_TOO_SLOW, codes::BODY_TOO_LARGE, codes::UNSUPPORTED_MEDIA_TYPE]);
    }
    if takes_key(function, &at.door) {
        every.extend([codes::IDEMPOTENCY_KEY_IN_USE, codes::IDEMPOTENCY_KEY_REUSED]);
    }
    every.extend([codes::INTERNAL, codes::RESPONSE_TOO_LARGE, codes::UNAVAILABLE, codes::TIMEOUT]);
    if matches!(function.room, Room::Command(_)) {
        every.extend([codes::EVENT_TOO_LARGE, codes::OUTCOME_UNKNOWN]);
    }
    every
}

fn response(at: &DoorRoom, listed: &[Code]) -> Value {
    let class = listed[0].class;
    let titles: Vec<_> = listed.iter().map(|code| format!("`{}`: {}", code.code, code.title)).collect();
    let mut response = json!({
        "description": titles.join("\n\n"),
        "content": { PROBLEM_JSON: { "schema": one_of(class, listed) } },
    });
    let headers: Map<_, _> = match class {
        Class::Unauthenticated | Class::Forbidden => Some("WWW-Authenticate"),
        Class::Conflict | Class::Unavailable => Some("Retry-After"),
        _ => None,
    }
    .into_iter()
    .map(header)
    .collect();
    if !headers.is_empty() {
        response["headers"] = headers.into();
    }
    if class == Class::Declined && at.door.creates {
        let mut location = header("Location").1;
        location["description"] = "Where the thing that was made is found.".into();
        response["headers"] = json!({ "Location": location });
    }
    response
}

/// The schema of a problem with one of these codes, which are of one class.
pub(super) fn one_of(class: Class, listed: &[Code]) -> Value {
    json!({
        "allOf": [{ "$ref": "#/components/schemas/Problem" }],
        "properties": { "status": { "const": class.status() }, "code": code(class, listed) },
    })
}

/// Which codes this status has here.
fn code(class: Class, listed: &[Code]) -> Value {
    let names: Vec<_> = listed.iter().map(|code| code.code).collect();
    match class {
        // What is wrong with a token the front says in codes of its own.
        Class::Unauthenticated | Class::Unavailable => json!({
            "type": "string",
            "anyOf": [{ "enum": names }, { "pattern": "^token_[a-z_]+$" }],
        }),
        _ => json!({ "type": "string", "enum": names }),
    }
}

/// The schema of a problem document. A code's own members stand beside these.
pub(super) fn document() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "description": "Why the answer is no (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code", "trace_id"],
        "properties": {
            "type": {
                "type": "string",
                "format": "uri",
                "pattern": "^urn:florin:problem:[a-z_]+$",
                "description": "The code as a URN.",
            },
            "title": text("What this code always means."),
            "status": {
                "type": "integer",
                "minimum": 400,
                "maximum": 599,
                "description": "The HTTP status code.",
            },
            "detail": text("What is wrong this time."),
            "code": {
                "type": "string",
                "pattern": "^[a-z_]+$",
                "description": "A stable code; what programs read.",
            },
            "trace_id": text("The W3C trace of this request: what to name when you ask for help."),
            "errors": {
                "type": "array",
                "description": "The fields that are wrong.",
                "items": {
                    "type": "object",
                    "required": ["detail"],
                    "properties": {
                        "pointer": text("Where in the body: a JSON pointer (RFC 6901)."),
                        "parameter": text("Which parameter of path, query or header."),
                        "detail": text("What is wrong with it."),
                    },
                    "additionalProperties": false,
                },
            },
        },
    })
}
