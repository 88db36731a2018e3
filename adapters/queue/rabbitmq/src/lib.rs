//! The queue port on RabbitMQ: quorum queues, publisher confirms, a ladder of TTL queues.
