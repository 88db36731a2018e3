#![no_main]
//! `shared/kernel/tests/properties/cloudevents.rs`, for all bytes.

#[path = "../../shared/kernel/tests/properties/cloudevents.rs"]
mod cloudevents;

libfuzzer_sys::fuzz_target!(|data: &[u8]| cloudevents::holds(data));
