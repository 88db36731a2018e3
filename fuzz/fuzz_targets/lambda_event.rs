#![no_main]
//! `adapters/lambda/tests/properties/lambda_event.rs`, for all bytes.

#[path = "../../adapters/lambda/tests/properties/lambda_event.rs"]
mod lambda_event;

libfuzzer_sys::fuzz_target!(|data: &[u8]| lambda_event::holds(data));
