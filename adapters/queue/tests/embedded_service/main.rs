//! A small service behind the embedded queue: its consumers, its relay and its schedule, as a process runs them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod consumers;
mod invocation;
mod schedule;
mod shop;
mod token;
