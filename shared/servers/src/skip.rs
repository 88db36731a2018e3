//! A skipped test is never silent: it is written down for the runner, or fails when its part is required.

use std::fs::OpenOptions;
use std::io::Write;

use crate::Part;

/// Names the parts that may not be skipped, separated by commas.
pub const REQUIRE_VARIABLE: &str = "FLORIN_TEST_REQUIRE";

/// Names the file to which each skipped test adds a line: part, test and reason, separated by tabs.
pub const SKIPPED_VARIABLE: &str = "FLORIN_TEST_SKIPPED";

/// Records that the calling test cannot run without `part`. The test returns right after.
///
/// libtest has no word for a test that skips itself and hides the output of those that pass, so the
/// fact also goes to the file that [`SKIPPED_VARIABLE`] names, where the runner counts it.
///
/// # Panics
/// When [`REQUIRE_VARIABLE`] names the part.
#[expect(clippy::print_stdout, reason = "the test's own output, shown with --nocapture")]
pub fn skip(part: Part, why: &str) {
    let name = part.name();
    assert!(!required().iter().any(|required| required == name), "{name} is required and not there: {why}");
    println!("SKIPPED: {name}: {why}");
    let Some(file) = variable(SKIPPED_VARIABLE) else { return };
    let line = format!("{name}\t{}\t{}\n", calling_test(), why.replace(['\t', '\n'], " "));
    // One write in append mode: lines of tests that run at the same time do not mix.
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .and_then(|mut report| report.write_all(line.as_bytes()));
    assert!(written.is_ok(), "cannot record a skipped test in {file}: {written:?}");
}

fn required() -> Vec<String> {
    let list = variable(REQUIRE_VARIABLE).unwrap_or_default();
    list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// The test binary and the test: libtest names the thread of each test after it.
fn calling_test() -> String {
    let program = std::env::current_exe().ok();
    let stem = program.as_deref().and_then(|path| path.file_stem()).and_then(|stem| stem.to_str());
    // Cargo ends the name of a test binary with a hash: `payments-0a1b2c3d4e5f6071`.
    let binary = stem.map(|stem| stem.rsplit_once('-').map_or(stem, |(name, _)| name)).unwrap_or("test");
    format!("{binary}::{}", std::thread::current().name().unwrap_or("unnamed"))
}

#[expect(clippy::disallowed_methods, reason = "tests have no host that reads the environment for them")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
