//! The HTTP front: routes, caller, problems, limits, documentation page.

pub mod app;
pub mod call;
pub mod delivery_door;
mod health;
pub mod network;
mod reply;
pub mod router;
pub mod server;
pub mod token;
