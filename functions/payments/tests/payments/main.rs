//! What a merchant can rely on, through the HTTP door, on both databases.

mod shop;

mod authentication;
mod cancel;
mod capture;
mod confirm;
mod create;
mod create_refused;
mod expiry;
mod reference;
mod refund;
