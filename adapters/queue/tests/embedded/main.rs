//! The embedded queue, from the outside: what a publisher, a consumer and a second process see.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod delivery;
mod leases;
mod lock;
mod rig;
mod store;
mod throughput;
