//! The directory events/: what is checked in is what the services emit.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use florin_host::services::SERVICES;
use florin_kernel::catalog;
use florin_kernel::function::Room;
use serde_json::Value;

use crate::functions;
use crate::json_schema::wrong;

fn events() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

#[test]
fn the_generated_files_are_the_ones_checked_in() {
    let fresh = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("events");
    fs::create_dir_all(&fresh).expect("a directory for what is generated");
    let mut stale = Vec::new();
    for (name, text) in catalog::event_files(SERVICES) {
        fs::write(fresh.join(&name), &text).expect("the file is written");
        if fs::read_to_string(events().join(&name)).ok().as_ref() != Some(&text) {
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "events/ is stale: copy {stale:?} from {}", fresh.display());
}

#[test]
fn nothing_else_lies_in_the_directory() {
    let mut expected: BTreeSet<String> =
        catalog::event_files(SERVICES).into_iter().map(|(name, _)| name).collect();
    expected.extend(catalog::emitted(SERVICES).iter().map(|e| format!("{}.example.json", e.entry.kind)));
    // The schemas of the last release, which the present ones are compared with.
    expected.insert("released".to_owned());
    let there: BTreeSet<String> = fs::read_dir(events())
        .expect("events/")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(there, expected);
}

#[test]
fn every_example_is_as_its_schema_says() {
    for event in catalog::emitted(SERVICES) {
        let kind = event.entry.kind;
        let path = events().join(format!("{kind}.schema.json"));
        let text = fs::read_to_string(&path).expect("the schema is checked in");
        let schema: Value = serde_json::from_str(&text).expect("the schema is JSON");
        let example: Value = serde_json::from_str(event.entry.example).expect("the example is JSON");
        assert_eq!(wrong(&schema, "", &example), None, "{kind}");
        assert!(wrong(&schema, "", &serde_json::json!({})).is_some(), "{kind}: its schema asks for nothing");
    }
}

#[test]
fn every_reaction_reads_the_example_of_every_event_it_wants() {
    let mut read = 0;
    for function in functions() {
        let Room::Reaction(room) = &function.room else { continue };
        for event in catalog::emitted(SERVICES) {
            if !event.consumers.contains(&function.name) {
                continue;
            }
            let mut example: Value = serde_json::from_str(event.entry.example).expect("the example is JSON");
            // A later release adds members: they are none of this reaction's business.
            example["added_later"] = serde_json::json!({ "a": [1] });
            (room.reads)(&example)
                .unwrap_or_else(|why| panic!("{} on {}: {why}", function.name, event.entry.kind));
            read += 1;
        }
    }
    assert!(read >= catalog::emitted(SERVICES).len(), "the audit service reads every one");
}
