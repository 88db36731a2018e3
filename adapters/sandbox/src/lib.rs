//! A deterministic payment provider to develop and test against.
