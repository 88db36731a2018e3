#![no_main]
//! `shared/kernel/tests/properties/cursor.rs`, for all bytes.

#[path = "../../shared/kernel/tests/properties/cursor.rs"]
mod cursor;

libfuzzer_sys::fuzz_target!(|data: &[u8]| cursor::holds(data));
