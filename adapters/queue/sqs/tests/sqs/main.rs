//! The queue port on SQS and SNS: against moto, and against a fake where moto cannot fail.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod answers;
mod away;
mod calls;
mod dead;
mod declare;
mod fake;
mod fan_out;
mod publish;
mod stop;
mod world;
