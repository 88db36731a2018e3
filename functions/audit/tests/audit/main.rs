//! What an auditor can rely on: real payments are made, their events travel, and the records are read by the door.

mod trail;

mod append_only;
mod filters;
mod once;
mod operations;
mod reading;
