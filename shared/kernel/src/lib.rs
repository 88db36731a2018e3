//! The contract of Florin's functions and what every service would otherwise repeat.

#[doc(hidden)]
pub use sqlx;

pub mod answer;
pub mod caller;
pub mod catalog;
pub mod cloudevents;
pub mod cookie;
pub mod corridor;
pub mod cx;
pub mod db;
pub mod door;
pub mod event;
pub mod failpoint;
pub mod function;
pub mod id;
pub mod input;
pub mod json;
pub mod list;
pub mod metric;
pub mod money;
pub mod network;
mod oauth;
pub mod previous;
pub mod problem;
pub mod rows;
pub mod service;
pub mod stop;
pub mod text;
mod text_enum;
pub mod time;
pub mod trace;
