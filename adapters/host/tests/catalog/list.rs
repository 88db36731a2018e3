//! Rules of the one list of functions.

use std::collections::HashSet;

use florin_host::services::SERVICES;
use florin_kernel::catalog;
use florin_kernel::door::Access;
use schemars::generate::SchemaSettings;

use crate::functions;

fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[test]
fn a_function_is_named_service_dot_verb_noun_and_once() {
    let mut names = HashSet::new();
    for service in SERVICES {
        for function in service.functions {
            let (before, verb_noun) = function.name.split_once('.').expect("a dot");
            assert_eq!(before, service.name, "{}", function.name);
            assert!(is_word(verb_noun) && verb_noun.contains('_'), "{}", function.name);
            assert!(names.insert(function.name), "{} stands twice", function.name);
        }
    }
    assert!(names.len() > 10, "the list is read");
}

#[test]
fn a_scope_is_noun_colon_read_or_write() {
    let mut scopes = HashSet::new();
    for function in functions() {
        if let Some(Access::Scope(scope)) = function.door().map(|at| at.door.access) {
            let (noun, right) = scope.split_once(':').expect("a colon");
            assert!(is_word(noun) && matches!(right, "read" | "write"), "{}: {scope}", function.name);
            assert_eq!(right == "write", function.kind() == "command", "{}: {scope}", function.name);
            scopes.insert(scope);
        }
    }
    let expected = ["payments:read", "payments:write", "refunds:read", "refunds:write", "audit:read"];
    assert_eq!(scopes, HashSet::from(expected));
}

#[test]
fn a_door_is_one_method_at_one_path() {
    let mut doors = HashSet::new();
    for function in functions() {
        if let Some(at) = function.door() {
            // Two templates that differ only in a parameter's name are one path to a router.
            let path = at.door.path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
            let path = path.collect::<Vec<_>>().join("/");
            assert!(doors.insert((at.door.method.as_str(), path)), "{}: taken", function.name);
        }
    }
}

/// Providers append parameters of their own to the address that they send the customer's browser back to, and a
/// customer who paid must not be stopped by one.
const OPEN_DOOR: &str = "payments.return_from_authentication";

#[test]
fn a_request_takes_no_field_that_it_does_not_name() {
    for function in functions().filter(|function| function.name != OPEN_DOOR) {
        let Some(at) = function.door() else { continue };
        let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
        (at.request)(&mut generator);
        let name = format!("{:?}", function);
        for (schema, definition) in generator.take_definitions(true) {
            let is_object = definition["type"] == "object";
            assert!(
                !is_object || definition["additionalProperties"] == false,
                "{name}: {schema} lets unknown fields in"
            );
        }
    }
}

#[test]
fn every_parameter_of_a_path_is_a_field_of_its_request() {
    for function in functions() {
        let Some(at) = function.door() else { continue };
        let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
        (at.request)(&mut generator);
        let definitions = generator.take_definitions(true);
        for parameter in at.door.path_parameters() {
            let named = definitions.values().any(|schema| schema["properties"].get(parameter).is_some());
            assert!(named, "{}: {parameter} is in the path alone", function.name);
        }
    }
}

#[test]
fn the_catalog_names_every_function_with_what_a_deployment_needs() {
    let document = catalog::json(SERVICES);
    let listed = document["functions"].as_array().expect("functions");
    assert_eq!(listed.len(), functions().count());
    let named = |name: &str| listed.iter().find(|entry| entry["name"] == name).expect("listed");
    let capture = named("payments.capture_payment");
    assert_eq!(capture["summary"], "Capture an authorized payment, in whole or in part");
    assert_eq!(capture["door"]["path"], "/v1/payments/{id}/capture");
    assert_eq!(capture["door"]["scope"], "payments:write");
    assert_eq!(named("audit.record_event")["on"], serde_json::json!(["florin.#"]));
    assert_eq!(named("audit.record_event")["queue"], "audit.record_event");
    assert_eq!(named("payments.expire_authorizations")["every_seconds"], 900);
    assert_eq!(named("payments.charge_card")["effect"]["record"], "payments.record_charge");
    let jobs: Vec<_> =
        document["kernel_jobs"].as_array().expect("jobs").iter().map(|job| &job["name"]).collect();
    assert_eq!(jobs, ["payments.sweep", "payments.purge", "audit.sweep", "audit.purge"]);
}

#[test]
fn the_documents_are_the_same_every_time() {
    assert_eq!(catalog::json(SERVICES).to_string(), catalog::json(SERVICES).to_string());
    assert_eq!(catalog::openapi(SERVICES).to_string(), catalog::openapi(SERVICES).to_string());
    assert_eq!(catalog::asyncapi(SERVICES).to_string(), catalog::asyncapi(SERVICES).to_string());
}
