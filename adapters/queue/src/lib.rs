//! Outbox relay, consumer loop, embedded queue and CloudEvents over HTTP.

pub mod port;
pub mod relay;

pub mod cloudevents;
pub mod http_publisher;
