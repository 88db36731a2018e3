//! Outbox relay, consumer loop, embedded queue and CloudEvents over HTTP.

pub mod consumer;
pub mod embedded;
pub mod features;
pub mod port;
mod publishing;
pub mod relay;
mod rest;
pub mod schedule;

pub use florin_kernel::cloudevents;
pub use rest::redelivery_delay;
pub mod http_publisher;
