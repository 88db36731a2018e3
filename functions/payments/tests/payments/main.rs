//! What a merchant can rely on, through the HTTP door, on both databases.

mod shop;

mod accepted;
mod authentication;
mod cancel;
mod capture;
mod confirm;
mod crashes;
mod create;
mod create_refused;
mod door;
mod events;
mod expiry;
mod keys;
mod lists;
mod model;
mod moved;
mod racing;
mod reference;
mod refund;
mod replay;
mod review;
mod sequences;
mod states;
mod strangers;
mod tenants;
mod waiting;
