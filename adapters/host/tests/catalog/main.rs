//! The catalog and the documents that are made of it: exact, valid, and the same as what is checked in.

mod asyncapi;
mod browser;
mod docs;
mod event_files;
mod json_schema;
mod list;
mod lookups;
mod openapi;
mod released;
mod validate;
mod verify;

use florin_host::services::SERVICES;
use florin_kernel::function::Function;

/// Every function of every service.
fn functions() -> impl Iterator<Item = &'static Function> {
    SERVICES.iter().flat_map(|service| service.functions)
}
