//! What holds for every input, whoever made it: the fuzz targets under `fuzz/` enter the same functions.
//!
//! What a fuzzer begins with and what it found stays under `fuzz/inputs`, one file an input, and is tried here too.

#![expect(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests, not what they share")]

mod cloudevents;
mod cursor;
mod money;
mod problem_pointer;

use std::path::Path;

/// Enters a property with every input that a fuzzer found for it.
fn found(target: &str, holds: fn(&[u8])) {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/inputs")).join(target);
    let mut inputs = 0;
    for entry in std::fs::read_dir(&directory).unwrap() {
        holds(&std::fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "nothing lies in {}", directory.display());
}

#[test]
fn what_a_fuzzer_found_holds() {
    found("cloudevents", cloudevents::holds);
    found("cursor", cursor::holds);
    found("money", money::holds);
    found("problem_pointer", problem_pointer::holds);
}
