//! Outbox relay, consumer loop, embedded queue and CloudEvents over HTTP.
