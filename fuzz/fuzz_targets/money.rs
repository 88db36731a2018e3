#![no_main]
//! `shared/kernel/tests/properties/money.rs`, for all bytes.

#[path = "../../shared/kernel/tests/properties/money.rs"]
mod money;

libfuzzer_sys::fuzz_target!(|data: &[u8]| money::holds(data));
