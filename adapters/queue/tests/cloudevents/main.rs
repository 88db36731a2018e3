//! The CloudEvents codec, entered the way a sender enters it: by a message's headers and bytes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod encode;
mod golden;
mod hostile;
mod http_binding;
mod round_trip;
mod sample;
mod strategies;
