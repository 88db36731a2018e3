//! The contract of Florin's functions and what every service would otherwise repeat.

#[doc(hidden)]
pub use sqlx;

pub mod caller;
pub mod db;
pub mod event;
pub mod id;
pub mod input;
pub mod money;
pub mod problem;
pub mod text;
pub mod time;
