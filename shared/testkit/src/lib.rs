//! Runs operations on SQLite and PostgreSQL and starts the real parts that tests need.

pub mod client;
pub mod lambda_runtime_api;
pub mod porch;
pub mod servers;
pub mod suite;
