//! The kernel's own rows: operations, outbox, inbox, dead letters and effects, and how long each lives.

pub mod backlog;
pub mod dead_letters;
pub mod effects;
pub(crate) mod inbox;
pub(crate) mod operations;
pub mod outbox;
pub mod purge;
