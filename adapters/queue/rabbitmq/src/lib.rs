//! The queue port on RabbitMQ: quorum queues, publisher confirms, a ladder of TTL queues.

mod answer;
mod backlog;
mod backoff;
mod broker;
mod config;
mod consumer;
mod failure;
mod link;
mod message;
mod names;
mod outlet;
mod port;
mod set_aside;
mod topology;
mod under_way;

pub use config::RabbitMqConfig;
pub use port::{FEATURES, RabbitMq};
