//! The port on a real broker.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod broken;
mod confirms;
mod deliveries;
mod dispositions;
mod proxy;
mod set_aside;
mod site;
mod stopping;
