//! The provider over real HTTP: what it charges, how often, and what it remembers.
#![expect(clippy::unwrap_used, reason = "a test whose scene cannot be set has failed")]

mod authenticate;
mod awkward;
mod capture;
mod charges;
mod door;
mod keys;
mod provider;
mod records;
mod refunds;
mod restart;
