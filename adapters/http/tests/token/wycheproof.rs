//! The vectors of Project Wycheproof, through the key parsing and algorithm pinning that requests go through.
//!
//! Where our answer is not the file's, it stands below with the reason; a difference that is not listed fails
//! the test, and so does a listed one that is gone.

use std::collections::BTreeMap;
use std::path::Path;

use florin_http::token::KeySet;
use florin_testkit::servers::{Part, skip};
use serde_json::Value;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/wycheproof");

/// The vectors answered differently from the file, and why.
type Differences = &'static [(u64, &'static str)];

#[test]
fn signatures_are_judged_as_wycheproof_does() {
    check(
        "json_web_signature_test.json",
        401,
        &[
            (346, "a PS384 token under a key that says PS256: the key decides"),
            (347, "ES512, which jsonwebtoken does not have, under a key that says ES521, which nothing is"),
            (350, "as 346"),
            (351, "as 347"),
            (367, "the padding it names is not in the file: letter for letter the valid token of 357"),
            (370, "as 367"),
            (372, "a question mark in the header, which only a lenient decoder passes over"),
            (373, "as 372, in the payload"),
        ],
    );
}

#[test]
fn keys_are_judged_as_wycheproof_does() {
    check(
        "json_web_key_test.json",
        26,
        &[
            (14, "HS384: secrets are accepted for HS256 only"),
            (15, "HS512: secrets are accepted for HS256 only"),
        ],
    );
}

#[test]
fn the_mixed_vectors_are_judged_as_wycheproof_does() {
    check(
        "json_web_crypto_test.json",
        83,
        &[(50, "a JWE: encrypted tokens are not access tokens here"), (67, "as 50")],
    );
}

fn check(file: &str, vectors: usize, listed: Differences) {
    let path = Path::new(DATA).join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        return skip(Part::Data, &format!("Wycheproof {file}: ../shared/data is not beside the checkout"));
    };
    let data: Value = serde_json::from_str(&text).unwrap();
    let listed: BTreeMap<u64, &str> = listed.iter().copied().collect();
    let (mut seen, mut wrong) = (0, Vec::new());
    for group in data["testGroups"].as_array().unwrap() {
        let keys = keys(group);
        for test in group["tests"].as_array().unwrap() {
            seen += 1;
            let id = test["tcId"].as_u64().unwrap();
            let taken = keys.as_ref().is_some_and(|keys| keys.verify(&token(test)).is_ok());
            let wanted = test["result"] == "valid";
            if (taken != wanted) != listed.contains_key(&id) {
                wrong.push(format!(
                    "{id} {} {}: taken {taken}, valid {wanted}, listed {:?}",
                    group["comment"],
                    test["comment"],
                    listed.get(&id)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(seen, vectors);
    assert!(listed.keys().all(|id| *id as usize <= vectors));
}

/// The group's keys as a set, secrets by the door for secrets; nothing when the set is refused.
fn keys(group: &Value) -> Option<KeySet> {
    let key = group.get("public").unwrap_or(&group["private"]);
    // Some groups hold the JSON as text, to keep its order and duplicates.
    let text = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
    let is_set = serde_json::from_str::<Value>(&text).unwrap().get("keys").is_some();
    let set = if is_set { text } else { format!(r#"{{"keys":[{text}]}}"#) };
    if set.contains(r#""oct""#) { KeySet::parse_secrets(&set).ok() } else { KeySet::parse(&set).ok() }
}

/// A compact token, or the JSON serialization as it would stand in a header field.
fn token(test: &Value) -> String {
    let token = test.get("jws").unwrap_or(&test["jwe"]);
    token.as_str().map_or_else(|| token.to_string(), str::to_owned)
}
