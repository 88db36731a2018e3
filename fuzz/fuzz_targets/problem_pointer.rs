#![no_main]
//! `shared/kernel/tests/properties/problem_pointer.rs`, for all bytes.

#[path = "../../shared/kernel/tests/properties/problem_pointer.rs"]
mod problem_pointer;

libfuzzer_sys::fuzz_target!(|data: &[u8]| problem_pointer::holds(data));
