//! The files that others made, where they lie beside the checkout.

use std::path::{Path, PathBuf};

use florin_servers::{Part, skip};

/// A directory of them, or a word about what is skipped.
pub(crate) fn directory(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let directory = Part::Data.given().map_or(beside, PathBuf::from).join(name);
    if directory.is_dir() {
        return Some(directory);
    }
    skip(Part::Data, &format!("{} is not there", directory.display()));
    None
}

/// The names of the files in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let name = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.map(|entry| name(entry.expect("an entry"))).collect();
    names.sort();
    names
}

/// A file's text.
pub(crate) fn text(directory: &Path, name: &str) -> String {
    std::fs::read_to_string(directory.join(name)).expect("a file of text")
}
