//! The refusals of a door whose words OAuth 2.0 fixes, grouped by status.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::problems;
use super::responses::header;
use crate::oauth;
use crate::problem::{Class, Code, PROBLEM_JSON};

/// The refusals by status, in rising order.
pub(super) fn refusals(codes: &[Code]) -> impl Iterator<Item = (String, Value)> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(oauth::status_of(code.class)).or_default().push(*code);
    }
    by_status.into_iter().map(|(status, codes)| (status.to_string(), response(&codes)))
}

fn response(codes: &[Code]) -> Value {
    let (before, own): (Vec<Code>, Vec<Code>) =
        codes.iter().partition(|code| problems::BEFORE_THE_DOOR.contains(code));
    let mut names: Vec<_> = Vec::new();
    let mut titles: Vec<_> = before.iter().map(|code| format!("`{}`: {}", code.code, code.title)).collect();
    for code in own {
        let name = oauth::error_of(code);
        titles.push(format!("`{name}`: {}", code.title));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut response = json!({
        "description": titles.join("\n\n"),
        "content": { "application/json": { "schema": {
            "allOf": [{ "$ref": "#/components/schemas/OAuthError" }],
            "properties": { "error": { "type": "string", "enum": names } },
        } } },
    });
    if let Some(first) = before.first() {
        response["content"][PROBLEM_JSON] = json!({ "schema": problems::one_of(first.class, &before) });
    }
    let named = match codes[0].class {
        Class::Unauthenticated | Class::Forbidden => Some("WWW-Authenticate"),
        Class::Unavailable => Some("Retry-After"),
        _ => None,
    };
    if let Some(name) = named {
        response["headers"] = [header(name)].into_iter().collect();
    }
    response
}

/// The schema of a refusal.
pub(super) fn document() -> Value {
    let plain = "^[ !#-\\[\\]-~]*$";
    json!({
        "type": "object",
        "description": "Why the answer is no (RFC 6749, section 5.2).",
        "required": ["error", "error_description"],
        "properties": {
            "error": { "type": "string", "description": "A stable code; what programs read." },
            "error_description": {
                "type": "string",
                "pattern": plain,
                "description": "What is wrong this time.",
            },
        },
        "additionalProperties": false,
    })
}
