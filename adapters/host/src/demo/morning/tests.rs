//! Waits for a suite to play against.
