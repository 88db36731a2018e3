//! What Terraform made of the catalog on an emulator of AWS. `cargo xtask infra terraform` applies it and runs these;
//! without it there is nothing to look at, so they are no part of `cargo test`.

mod aws;
mod destroyed;
mod made;

use std::path::PathBuf;

use florin_host::services::SERVICES;
use florin_kernel::catalog::{Deployment, Entry};
use serde_json::Value;

/// The name that the module was given.
const NAME: &str = "florin";

/// Every function of every service that something outside enters.
fn entries() -> impl Iterator<Item = Entry> {
    SERVICES.iter().flat_map(|service| Deployment::of(service).entries)
}

/// A JSON file of what was applied.
fn applied(file: &str) -> Value {
    let text = std::fs::read_to_string(directory().join(file)).expect("cargo xtask infra terraform wrote it");
    serde_json::from_str(&text).expect("it is JSON")
}

fn directory() -> PathBuf {
    PathBuf::from(aws::variable("FLORIN_TEST_APPLIED"))
}
