//! The OpenAPI document is valid and says what the doors do.

use florin_host::services::SERVICES;
use florin_kernel::catalog;
use florin_kernel::problem::codes;
use florin_testkit::porch::PORCH;
use serde_json::{Value, json};

use crate::functions;
use crate::json_schema::wrong;
use crate::validate::refused;

const VALIDATOR: &str = "
import json, sys
from openapi_spec_validator import OpenAPIV31SpecValidator
errors = list(OpenAPIV31SpecValidator(json.load(open(sys.argv[1]))).iter_errors())
for error in errors:
    print('/'.join(map(str, error.absolute_path)), error.message[:500])
sys.exit(bool(errors))
";

#[test]
fn the_openapi_document_is_valid() {
    let document = catalog::openapi(SERVICES);
    if let Some(verdict) = refused(VALIDATOR, "openapi.json", &document, &[]) {
        verdict.unwrap_or_else(|why| panic!("{why}"));
    }
}

#[test]
fn the_validator_refuses_a_document_that_is_not() {
    let mut document = catalog::openapi(SERVICES);
    document["paths"]["/v1/payments"]["post"]["responses"]["201"] = json!({ "content": [] });
    if let Some(verdict) = refused(VALIDATOR, "openapi-broken.json", &document, &[]) {
        assert!(verdict.is_err(), "a response without a description was let through");
    }
}

fn operations(document: &Value) -> Vec<&Value> {
    let paths = document["paths"].as_object().expect("paths");
    paths.values().flat_map(|path| path.as_object().expect("a path").values()).collect()
}

#[test]
fn every_door_is_an_operation_under_its_functions_name() {
    let document = catalog::openapi(SERVICES);
    let mut listed: Vec<_> =
        operations(&document).iter().map(|o| o["operationId"].as_str().unwrap()).collect();
    let mut doors: Vec<_> = functions().filter(|f| f.door().is_some()).map(|f| f.name).collect();
    listed.sort_unstable();
    doors.sort_unstable();
    assert_eq!(listed, doors);
}

#[test]
fn an_operation_says_all_that_it_may_answer() {
    let document = catalog::openapi(SERVICES);
    let statuses = |path: &str, method: &str| {
        let responses = document["paths"][path][method]["responses"].as_object().expect("responses");
        responses.keys().map(String::as_str).collect::<Vec<_>>()
    };
    assert_eq!(
        statuses("/v1/payments", "post"),
        ["201", "202", "400", "401", "402", "403", "408", "409", "413", "415", "422", "500", "503", "504"]
    );
    assert_eq!(
        statuses("/v1/payments/{id}", "get"),
        ["200", "400", "401", "403", "404", "500", "503", "504"]
    );
    assert_eq!(
        statuses("/v1/payments/{id}/cancel", "post"),
        [
            "200", "202", "400", "401", "402", "403", "404", "408", "409", "413", "415", "422", "500", "503",
            "504"
        ]
    );
    assert_eq!(
        statuses("/v1/returns/{tenant}/{id}/{attempt}", "get"),
        ["200", "202", "303", "400", "404", "413", "500", "503", "504"]
    );
    let conflict = &document["paths"]["/v1/payments/{id}/capture"]["post"]["responses"]["409"]["content"];
    assert_eq!(
        conflict["application/problem+json"]["schema"]["properties"]["code"]["enum"],
        json!(["idempotency_key_in_use", "payment_state_conflict", "capture_exceeds_remaining"])
    );
}

#[test]
fn a_change_takes_an_idempotency_key_and_a_scope() {
    let document = catalog::openapi(SERVICES);
    let capture = &document["paths"]["/v1/payments/{id}/capture"]["post"];
    assert_eq!(capture["security"], json!([{ "bearer": ["payments:write"] }]));
    assert_eq!(capture["x-florin-scope"], "payments:write");
    assert_eq!(capture["parameters"][0]["name"], "id");
    assert_eq!(capture["parameters"][0]["schema"]["pattern"], "^pay_[0-9a-f]{32}$");
    assert_eq!(capture["parameters"][1]["$ref"], "#/components/parameters/IdempotencyKey");
    let back = &document["paths"]["/v1/returns/{tenant}/{id}/{attempt}"]["get"];
    assert_eq!(back["security"], json!([]));
}

#[test]
fn a_request_body_is_exactly_what_the_door_takes() {
    let document = catalog::openapi(SERVICES);
    let pointer = "/components/schemas/CreatePayment";
    for good in [
        json!({ "amount": 1, "currency": "EUR" }),
        json!({ "amount": 999_999_999_999_i64, "currency": "JPY", "confirm": true, "capture_method": "manual",
                "payment_method": "pm_card_visa", "metadata": { "basket": "b-77" }, "reference": null,
                "return_url": "https://shop.example/back?x=1" }),
    ] {
        assert_eq!(wrong(&document, pointer, &good), None, "{good}");
    }
    for bad in [
        json!({}),
        json!({ "amount": 0, "currency": "EUR" }),
        json!({ "amount": 1.5, "currency": "EUR" }),
        json!({ "amount": "1", "currency": "EUR" }),
        json!({ "amount": 1_000_000_000_000_i64, "currency": "EUR" }),
        json!({ "amount": 1, "currency": "eur" }),
        json!({ "amount": 1, "currency": "XXX" }),
        json!({ "amount": 1, "currency": "EUR", "colour": "red" }),
        json!({ "amount": 1, "currency": "EUR", "confirm": null }),
        json!({ "amount": 1, "currency": "EUR", "return_url": "ftp://shop.example" }),
        json!({ "amount": 1, "currency": "EUR", "return_url": "https:///nowhere" }),
        json!({ "amount": 1, "currency": "EUR", "description": "" }),
        json!({ "amount": 1, "currency": "EUR", "metadata": { "k": "x".repeat(501) } }),
        json!({ "amount": 1, "currency": "EUR", "metadata": { "k".repeat(41): "x" } }),
    ] {
        assert!(wrong(&document, pointer, &bad).is_some(), "{bad} fits the schema");
    }
}

#[test]
fn an_answer_names_every_field_it_always_has() {
    let document = catalog::openapi(SERVICES);
    let required = document["components"]["schemas"]["Payment"]["required"].as_array().expect("required");
    for field in
        ["id", "status", "amount", "metadata", "next_action", "last_error", "needs_review", "version"]
    {
        assert!(required.contains(&json!(field)), "{field} may be left out");
    }
}

#[test]
fn a_problem_is_as_its_schema_says() {
    let document = catalog::openapi(SERVICES);
    let problem = codes::INVALID_REQUEST.because("must be an integer").at("/amount").to_json("4bf92f35");
    let pointer = "/components/responses/Malformed/content/application~1problem+json/schema";
    assert_eq!(wrong(&document, pointer, &problem), None);
    let before_its_route = codes::AMBIGUOUS_PATH.because("a dot segment").to_json("4bf92f35");
    assert_eq!(wrong(&document, pointer, &before_its_route), None);
    let another = codes::INTERNAL.because("logged").to_json("4bf92f35");
    assert!(wrong(&document, pointer, &another).is_some(), "a 500 fits the schema of a 400");
}

#[test]
fn a_document_with_a_door_of_every_kind_is_valid_and_says_what_goes_in_and_out() {
    let document = catalog::openapi(&[&PORCH]);
    if let Some(verdict) = refused(VALIDATOR, "openapi-porch.json", &document, &[]) {
        verdict.unwrap_or_else(|why| panic!("{why}"));
    }
    let at = |path: &str, method: &str| document["paths"][path][method].clone();
    let tokens = at("/porch/{tenant}/tokens", "post");
    assert!(tokens["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"].is_object());
    assert_eq!(tokens["security"], json!([{ "client": [] }, {}]));
    assert_eq!(document["components"]["securitySchemes"]["client"]["scheme"], "basic");
    let errors = |status: &str| {
        tokens["responses"][status]["content"]["application/json"]["schema"]["properties"]["error"]["enum"]
            .clone()
    };
    assert_eq!(errors("400"), json!(["invalid_request", "invalid_grant"]));
    assert_eq!(errors("401"), json!(["invalid_client"]));
    let letters = at("/porch/{tenant}/letters", "post");
    assert_eq!(letters["requestBody"]["content"], json!({ "application/octet-stream": {} }));
    assert_eq!(
        (&letters["parameters"][1]["in"], &letters["parameters"][1]["required"]),
        (&json!("header"), &json!(true))
    );
    let page = at("/porch/{tenant}", "get");
    assert_eq!(
        (&page["parameters"][1]["in"], &page["parameters"][1]["name"]),
        (&json!("cookie"), &json!("visits"))
    );
    assert!(
        page["responses"]["200"]["headers"]["Set-Cookie"]["description"]
            .as_str()
            .unwrap()
            .starts_with("`visits`")
    );
    let coats = at("/porch/coats", "post");
    assert_eq!(coats["parameters"][0]["name"], "if-match");
    assert!(coats["responses"]["200"]["headers"]["etag"].is_object());
    assert_eq!(at("/porch/files/{name}", "get")["responses"]["200"]["content"], json!({ "*/*": {} }));
    assert!(at("/porch/paths", "get")["responses"]["303"]["headers"]["Location"].is_object());
}
