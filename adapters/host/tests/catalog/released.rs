//! Within a version an event type only grows: every schema of the last release, which lies under events/released, still
//! holds. Whoever releases copies the schemas there (`cp events/*.schema.json events/released/`).

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use florin_host::services::SERVICES;
use florin_kernel::catalog;
use serde_json::{Map, Value, json};

/// What people read; it may say it better.
const WORDS: [&str; 5] = ["$id", "title", "description", "examples", "default"];

/// What may gain entries: a consumer ignores members, values and types that it does not know.
const GROWS: [&str; 7] = ["properties", "$defs", "required", "enum", "oneOf", "anyOf", "type"];

/// Everything that a consumer of the released schema could miss in the present one.
fn lost(released: &Value, now: &Value, at: &str) -> Vec<String> {
    let (Value::Object(released), Value::Object(now)) = (released, now) else {
        return if released == now { Vec::new() } else { vec![format!("{at}: was {released}, is {now}")] };
    };
    let mut lost = Vec::new();
    for (name, was) in released.iter().filter(|(name, _)| !WORDS.contains(&name.as_str())) {
        let at = format!("{at}/{name}");
        match (now.get(name), was) {
            (None, _) => lost.push(format!("{at}: is gone")),
            (Some(is), Value::Object(was)) if GROWS.contains(&name.as_str()) => {
                lost.extend(members_lost(was, is, &at));
            }
            (Some(Value::Array(is)), Value::Array(was)) if GROWS.contains(&name.as_str()) => {
                let gone = was.iter().filter(|one| !is.contains(one));
                lost.extend(gone.map(|one| format!("{at}: {one} is gone")));
                // A value that was always text and may be null now is read by nobody who trusted it.
                if name == "type" && is.len() != was.len() {
                    lost.push(format!("{at}: was {was:?}, is {is:?}"));
                }
            }
            (Some(is), was) => lost.extend(self::lost(was, is, &at)),
        }
    }
    // A bound that was not there is a promise more; a constraint of another kind may be a promise less.
    let new = now.keys().filter(|name| !released.contains_key(*name) && !WORDS.contains(&name.as_str()));
    lost.extend(
        new.filter(|name| !GROWS.contains(&name.as_str())).map(|name| format!("{at}/{name}: is new")),
    );
    lost
}

fn members_lost(was: &Map<String, Value>, is: &Value, at: &str) -> Vec<String> {
    let mut lost = Vec::new();
    for (member, schema) in was {
        match is.get(member) {
            None => lost.push(format!("{at}/{member}: is gone")),
            Some(now) => lost.extend(self::lost(schema, now, &format!("{at}/{member}"))),
        }
    }
    lost
}

fn released() -> BTreeMap<String, Value> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/released");
    fs::read_dir(directory)
        .expect("events/released")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(path).expect("a schema");
            (name, serde_json::from_str(&text).expect("JSON"))
        })
        .collect()
}

#[test]
fn every_schema_of_the_last_release_still_holds() {
    let now: BTreeMap<String, String> = catalog::event_files(SERVICES).into_iter().collect();
    let released = released();
    assert!(!released.is_empty());
    let mut lost = Vec::new();
    for (name, schema) in &released {
        match now.get(name) {
            None => lost.push(format!("{name} is gone")),
            Some(text) => {
                lost.extend(self::lost(schema, &serde_json::from_str(text).expect("JSON"), name));
            }
        }
    }
    assert!(lost.is_empty(), "a change within a version adds, and nothing else:\n{}", lost.join("\n"));
}

#[test]
fn what_grows_is_well_and_what_a_consumer_would_miss_is_named() {
    let released = json!({
        "title": "a", "type": "object", "required": ["id"],
        "properties": { "id": { "type": "string", "pattern": "^a" }, "kind": { "enum": ["one", "two"] },
                        "note": { "type": ["string", "null"] } },
    });
    let changed = |pointer: &str, value: Value| {
        let mut now = released.clone();
        *now.pointer_mut(pointer).expect("a place") = value;
        lost(&released, &now, "")
    };
    for (pointer, value) in [
        ("/title", json!("b")),
        ("/required", json!(["id", "kind"])),
        ("/properties/kind/enum", json!(["one", "two", "three"])),
    ] {
        assert_eq!(changed(pointer, value), [""; 0], "{pointer}");
    }
    let mut more = released.clone();
    more["properties"]["later"] = json!({ "type": "integer" });
    assert_eq!(lost(&released, &more, ""), [""; 0]);

    for (pointer, value) in [
        ("/required", json!([])),
        ("/properties", json!({ "id": { "type": "string", "pattern": "^a" } })),
        ("/properties/id/type", json!("integer")),
        ("/properties/id/type", json!(["string", "null"])),
        ("/properties/id/pattern", json!("^b")),
        ("/properties/id", json!({ "type": "string", "pattern": "^a", "maxLength": 3 })),
        ("/properties/kind/enum", json!(["one"])),
        ("/properties/note/type", json!(["string", "null", "integer"])),
    ] {
        assert_ne!(changed(pointer, value.clone()), [""; 0], "{pointer} as {value}");
    }
}
