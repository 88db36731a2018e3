//! Where the broker is, and the few numbers that an operator may want to change.

use std::fmt;
use std::time::Duration;

/// How to reach and use a broker. [`RabbitMqConfig::new`] has the defaults.
#[derive(Clone)]
pub struct RabbitMqConfig {
    /// `amqp://` or `amqps://` with user, password, host and virtual host (RabbitMQ URI specification:
    /// the default virtual host is `%2f`). `heartbeat` in its query is honoured, in seconds; without it 20.
    pub url: String,
    /// Put before the name of the exchange and of every queue, so that deployments share a virtual host. Empty.
    pub prefix: String,
    /// The durable topic exchange that every event goes to. `florin.events`.
    pub exchange: String,
    /// The most messages of one consumer that the broker has handed over and not heard of again. 32.
    /// Never more than twice the consumer's concurrency: one that is handled, one that waits.
    pub prefetch: u16,
    /// How long a batch may take to be confirmed, connecting included. 10 s: below the relay's lease.
    pub confirm_timeout: Duration,
    /// How long a connection, or one exchange of methods on it, may take. 10 s.
    pub connect_timeout: Duration,
    /// The first pause between two attempts to connect; it doubles up to [`Self::reconnect_longest`], and each
    /// is shortened by chance to no less than half. 200 ms.
    pub reconnect_first: Duration,
    /// The longest pause between two attempts to connect. 15 s.
    pub reconnect_longest: Duration,
    /// The first pause of a consumer whose handler did not attempt a message; it doubles up to
    /// [`Self::pause_longest`] until a message is attempted again. 1 s.
    pub pause_first: Duration,
    /// The longest pause of a consumer. 30 s, far below the broker's time limit for an answer (30 minutes).
    pub pause_longest: Duration,
    /// How long a consumer hears nothing before it begins anew on another channel: a broker may keep messages back
    /// from one whose queue was deleted and made again. 30 s.
    pub idle: Duration,
    /// How long a consumer stays on one channel however much it hears, for the same reason. 10 minutes.
    pub renew: Duration,
    /// How long a consumer that begins anew waits for the handlers that have begun. Those that take longer end by
    /// themselves, unheard: their messages come again. 30 s.
    pub drain: Duration,
    /// Certificates (PEM) that an `amqps://` broker is trusted by besides those of the public authorities.
    pub certificate_authorities: Option<String>,
}

impl RabbitMqConfig {
    /// The defaults for this broker.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: String::new(),
            exchange: "florin.events".to_owned(),
            prefetch: 32,
            confirm_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            reconnect_first: Duration::from_millis(200),
            reconnect_longest: Duration::from_secs(15),
            pause_first: Duration::from_secs(1),
            pause_longest: Duration::from_secs(30),
            idle: Duration::from_secs(30),
            renew: Duration::from_secs(10 * 60),
            drain: Duration::from_secs(30),
            certificate_authorities: None,
        }
    }
}

impl fmt::Debug for RabbitMqConfig {
    /// Without the URL: it holds a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMqConfig")
            .field("prefix", &self.prefix)
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}
