//! The same payments on every database and over every broker: what happens stands once in the audit records.

mod all_in_one;
mod apart;
mod cloudevents;

use florin_conformance::site::Site;

/// A data directory for a process beside the site's own: each has one serving process. Its key is the site's, so
/// that both accept the same tokens.
fn another_data_directory(site: &Site, name: &str) -> String {
    // The first token makes the key.
    site.token("acme");
    let data = site.directory().join(name);
    std::fs::create_dir(&data).expect("a data directory");
    let key = "development-key.json";
    std::fs::copy(site.data().join(key), data.join(key)).expect("the key is there");
    data.display().to_string()
}
