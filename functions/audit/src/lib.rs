//! Audit: an append-only record of every event and every mutating operation.
