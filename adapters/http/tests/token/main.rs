//! Tokens at the door: what is taken, what is refused, and when the issuer's keys are asked for.
#![expect(clippy::unwrap_used, reason = "a test whose scene cannot be set has failed")]

mod accepted;
mod attacks;
mod development;
mod issuer;
mod jwks_server;
mod remote;
mod wycheproof;
