//! The clock that chaos moves: the file `clock` holds the microseconds by which it is ahead.

use std::fs;

use super::armed::directory;

/// By how many microseconds the clock is ahead of the system's. Read anew each time: it moves under running
/// processes, and all of them see it move at once.
pub(crate) fn moved() -> i64 {
    let Some(directory) = directory() else { return 0 };
    fs::read_to_string(directory.join("clock")).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}
