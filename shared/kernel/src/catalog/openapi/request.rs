//! What goes in: one request type, split into path, query, header and body.

use serde_json::{Map, Value, json};

use crate::catalog::schemas::Schemas;
use crate::door::{Door, Method, Reads, Takes};

/// The header field by which a client says who it is.
pub(super) const CLIENT: &str = "authorization";

/// A request as OpenAPI says it.
pub(super) struct Request {
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
}

/// Splits a request's schema as the corridor puts the request together: the path's parameters, then the query
/// where there is no body, then the body's members.
pub(super) fn split(
    door: &Door,
    name: &str,
    mut schema: Map<String, Value>,
    schemas: &mut Schemas,
) -> Request {
    let required: Vec<String> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    let mut fields = match schema.remove("properties") {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let mut parameters = Vec::new();
    for name in door.path_parameters() {
        let field = fields.shift_remove(name).unwrap_or_else(|| json!({ "type": "string" }));
        parameters.push(parameter("path", name, true, field));
    }
    for reads in door.reads {
        let field = fields.shift_remove(reads.field()).unwrap_or_else(|| json!({ "type": "string" }));
        let required = required.iter().any(|name| name == reads.field());
        match reads {
            // Who the client is stands among the ways in: OpenAPI ignores a parameter of this name.
            Reads::Header { name: CLIENT, .. } => {}
            Reads::Header { name, .. } => parameters.push(parameter("header", name, required, field)),
            Reads::Cookie { name, .. } => parameters.push(parameter("cookie", name, required, field)),
        }
    }
    if let Takes::Signed { header } = door.takes {
        let mut signature = fields.shift_remove("signature").unwrap_or_else(|| json!({ "type": "string" }));
        signature["description"] = "The signature of the body.".into();
        fields.shift_remove("body");
        let required = required.iter().any(|name| name == "signature");
        parameters.push(parameter("header", header, required, signature));
    }
    if !has_body(door.method) || matches!(door.takes, Takes::Signed { .. }) {
        parameters.extend(fields.into_iter().map(|(name, field)| {
            let required = required.contains(&name);
            parameter("query", &name, required, field)
        }));
        let body = matches!(door.takes, Takes::Signed { .. })
            .then(|| json!({ "required": true, "content": { "application/octet-stream": {} } }));
        return Request { parameters, body };
    }
    if fields.is_empty() {
        return Request { parameters, body: None };
    }
    let required: Vec<String> = required.into_iter().filter(|name| fields.contains_key(name)).collect();
    let any_required = !required.is_empty();
    schema.insert("properties".to_owned(), fields.into());
    if any_required {
        schema.insert("required".to_owned(), required.into());
    } else {
        schema.remove("required");
    }
    let media_type = match door.takes {
        Takes::Form => "application/x-www-form-urlencoded",
        Takes::Json | Takes::Signed { .. } => "application/json",
    };
    let schema = schemas.keep_request(name, schema.into());
    let body = json!({ "required": any_required, "content": { media_type: { "schema": schema } } });
    Request { parameters, body: Some(body) }
}

/// Whether the members of a request stand in a body (RFC 9110 gives one in GET and DELETE no meaning).
fn has_body(method: Method) -> bool {
    match method {
        Method::Post | Method::Put | Method::Patch => true,
        Method::Get | Method::Delete => false,
    }
}

fn parameter(place: &str, name: &str, required: bool, mut schema: Value) -> Value {
    without_null(&mut schema);
    let description = schema.as_object_mut().and_then(|members| members.remove("description"));
    let mut parameter = json!({ "name": name, "in": place, "required": required, "schema": schema });
    if let Some(description) = description {
        parameter["description"] = description;
    }
    parameter
}

/// A parameter is text, and no text is null: what may be left out is left out.
fn without_null(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = members.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [Value::Object(only)] = choices.as_mut_slice() {
            let only = std::mem::take(only);
            members.remove("anyOf");
            for (name, value) in only {
                members.entry(name).or_insert(value);
            }
        }
    }
    if members.get("default").is_some_and(Value::is_null) {
        members.remove("default");
    }
}

/// The header by which a repeated request is known.
pub(super) fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": "Makes the request repeatable: the same key with the same request gets the same answer, for \
            24 hours.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::Access;
    use schemars::generate::SchemaSettings;
    use schemars::{JsonSchema, SchemaGenerator};
    use serde::Deserialize;

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is read")]
    struct Notify {
        /// Who.
        id: String,
        body: String,
        signature: String,
        /// When.
        at: Option<i64>,
    }

    fn request(door: Door) -> Value {
        let mut schemas = Schemas::new(SchemaSettings::draft2020_12);
        let (name, members) = schemas.request(SchemaGenerator::subschema_for::<Notify>);
        let Request { parameters, body } = split(&door, &name, members, &mut schemas);
        let mut document = json!({ "parameters": parameters, "body": body });
        document["schemas"] = schemas.settle(&mut document).into();
        document
    }

    #[test]
    fn a_get_has_the_rest_in_its_query() {
        let got = request(Door::get("/v1/{id}", Access::Public));
        let places: Vec<_> = got["parameters"].as_array().unwrap().iter().map(|p| &p["in"]).collect();
        assert_eq!(places, ["path", "query", "query", "query"]);
        assert_eq!(got["parameters"][0]["description"], "Who.");
        assert_eq!(got["parameters"][3]["schema"]["type"], "integer");
        assert_eq!(got["body"], Value::Null);
    }

    #[test]
    fn a_post_has_the_rest_in_its_body() {
        let got = request(Door::post("/v1/{id}", Access::Public));
        assert_eq!(got["parameters"].as_array().unwrap().len(), 1);
        let schema = &got["schemas"]["Notify"];
        assert_eq!(schema["required"], json!(["body", "signature"]));
        assert_eq!(schema["properties"].get("id"), None);
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(got["body"]["required"], true);
    }

    #[test]
    fn a_form_is_a_body_of_its_own_media_type() {
        let got = request(Door::post("/v1/{id}", Access::Public).taking(Takes::Form));
        assert!(got["body"]["content"]["application/x-www-form-urlencoded"]["schema"].is_object());
    }

    #[test]
    fn a_header_field_and_a_cookie_are_parameters_of_their_own() {
        const READS: &[Reads] = &[
            Reads::Header { name: "if-match", field: "signature" },
            Reads::Cookie { name: "seen", field: "at" },
        ];
        let got = request(Door::post("/v1/{id}", Access::Public).reading(READS));
        let parameters: Vec<_> = got["parameters"].as_array().unwrap().iter().skip(1).collect();
        let of = |n: usize| (&parameters[n]["in"], &parameters[n]["name"], &parameters[n]["required"]);
        assert_eq!(of(0), (&json!("header"), &json!("if-match"), &json!(true)));
        assert_eq!(of(1), (&json!("cookie"), &json!("seen"), &json!(false)));
        assert_eq!(got["schemas"]["Notify"]["required"], json!(["body"]));
    }

    #[test]
    fn signed_bytes_are_a_body_without_members_and_a_header() {
        let got = request(Door::post("/v1/{id}", Access::Public).taking(Takes::Signed { header: "x-seal" }));
        let parameters: Vec<_> =
            got["parameters"].as_array().unwrap().iter().map(|p| (&p["in"], &p["name"])).collect();
        let (path, header, query) = (json!("path"), json!("header"), json!("query"));
        let (id, seal, at) = (json!("id"), json!("x-seal"), json!("at"));
        assert_eq!(parameters, [(&path, &id), (&header, &seal), (&query, &at)]);
        assert_eq!(got["body"]["content"], json!({ "application/octet-stream": {} }));
    }
}
