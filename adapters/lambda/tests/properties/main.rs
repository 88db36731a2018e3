//! What holds for every event, whoever made it: the fuzz target `lambda_event` enters the same function.
//!
//! What it begins with and what it found stays under `fuzz/inputs`, one file an input, and is tried here too.

#![expect(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests, not what they share")]

mod lambda_event;

#[test]
fn what_a_fuzzer_found_holds() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/inputs/lambda_event");
    let found: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!found.is_empty(), "nothing lies in {directory}");
    for path in found {
        lambda_event::holds(&std::fs::read(path).unwrap());
    }
}
