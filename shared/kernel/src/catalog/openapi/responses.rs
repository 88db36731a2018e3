//! What comes out: an answer by how it is given, and a problem for each status there may be.

use serde_json::{Map, Value, json};

use super::oauth;
use super::problems::{self, Problems};
use crate::catalog::schemas::Schemas;
use crate::door::{Door, Errors, Gives, Says};
use crate::function::{DoorRoom, Function};

/// The responses of an operation, by status.
pub(super) fn responses(
    function: &Function,
    at: &DoorRoom,
    has_body: bool,
    schemas: &mut Schemas,
    problems: &mut Problems,
) -> Value {
    let content = content(at, schemas);
    let mut responses = answers(&at.door, super::operation::takes_key(function, &at.door), &content);
    say(&at.door, &mut responses);
    match at.door.errors {
        Errors::Problem => responses.extend(problems.of(function, at, has_body)),
        Errors::OAuth => responses.extend(oauth::refusals(&problems::listed(function, at, has_body))),
    }
    responses.into()
}

fn content(at: &DoorRoom, schemas: &mut Schemas) -> Value {
    match at.door.gives {
        Gives::Json => json!({ "application/json": { "schema": schemas.answer(at.answer) } }),
        // A redirect that has nowhere to go is a page that says so.
        Gives::Page | Gives::Redirect => json!({ "text/html": { "schema": { "type": "string" } } }),
        Gives::File => json!({ "*/*": {} }),
    }
}

fn answers(door: &Door, takes_key: bool, content: &Value) -> Map<String, Value> {
    let mut answers = Map::new();
    let mut answer = |status: &str, description: &str, names: &[&str], content: Option<&Value>| {
        // A 202 is never stored, so it is never an earlier answer.
        let replayed = (takes_key && status != "202").then_some("Idempotency-Replayed");
        let headers: Map<_, _> = names.iter().copied().chain(replayed).map(header).collect();
        let mut answer = json!({ "description": description });
        if !headers.is_empty() {
            answer["headers"] = headers.into();
        }
        if let Some(content) = content {
            answer["content"] = content.clone();
        }
        answers.insert(status.to_owned(), answer);
    };
    match (door.gives, door.creates) {
        (Gives::Json, true) => answer("201", "It was made.", &["Location"], Some(content)),
        (Gives::Json, false) => answer("200", "Here it is.", &[], Some(content)),
        (Gives::Page, _) => answer("200", "A page for people.", &[], Some(content)),
        (Gives::File, _) => answer("200", "The file.", &[], Some(content)),
        (Gives::Redirect, _) => answer("200", "A page, when there is nowhere to go.", &[], Some(content)),
    }
    if door.waits {
        let names: &[&str] = if door.creates { &["Location", "Retry-After"] } else { &["Retry-After"] };
        answer("202", "It is under way; this is how it stands.", names, Some(content));
    }
    if door.gives == Gives::Redirect {
        answer("303", "Go there.", &["Location"], None);
    }
    answers
}

/// Adds the header fields and cookies that the door names to every answer.
fn say(door: &Door, answers: &mut Map<String, Value>) {
    let mut named = Map::new();
    let mut cookies = Vec::new();
    for says in door.says {
        match says {
            Says::Header { name, summary } => {
                named.insert(
                    (*name).to_owned(),
                    json!({ "description": summary, "schema": { "type": "string" } }),
                );
            }
            Says::Cookie { name, summary } => cookies.push(format!("`{name}`: {summary}")),
        }
    }
    if !cookies.is_empty() {
        let cookies = json!({ "description": cookies.join("\n\n"), "schema": { "type": "string" } });
        named.insert("Set-Cookie".to_owned(), cookies);
    }
    for answer in answers.values_mut() {
        for (name, header) in &named {
            answer["headers"][name] = header.clone();
        }
    }
}

/// A header of a response, by reference.
pub(super) fn header(name: &str) -> (String, Value) {
    (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }))
}

/// The headers that responses refer to.
pub(super) fn headers() -> Value {
    json!({
        "Location": {
            "description": "Where it is found.",
            "required": true,
            "schema": { "type": "string", "format": "uri-reference" },
        },
        "Retry-After": {
            "description": "After how many seconds to come again.",
            "schema": { "type": "integer", "minimum": 1 },
        },
        "Idempotency-Replayed": {
            "description": "`true` when this is the stored answer of an earlier request with this key.",
            "schema": { "type": "string", "const": "true" },
        },
        "WWW-Authenticate": {
            "description": "How to authenticate, and what is missing (RFC 6750).",
            "required": true,
            "schema": { "type": "string" },
        },
    })
}
