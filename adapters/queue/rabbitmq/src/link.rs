//! One connection to the broker that is made again whenever it is needed and not there.
//!
//! lapin's own recovery stays off: here a connection is either whole, with everything declared on it, or thrown
//! away. Two links are used, one to publish and one to consume, because a broker that is short of memory or disk
//! stops reading from connections that publish, and acknowledgements must still get through.

use std::sync::Arc;
use std::time::Duration;

use lapin::tcp::{AMQPUriTcpExt, OwnedTLSConfig};
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, Result};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::backoff::Backoff;
use crate::config::RabbitMqConfig;
use crate::failure::within;
use crate::topology::Topology;

/// A peer that is silent for twice this long is dead. Proxies close connections that are idle for a minute.
const HEARTBEAT_SECONDS: u16 = 20;

/// A connection, when there is one.
pub(crate) struct Link {
    name: &'static str,
    uri: AMQPUri,
    certificate_authorities: Option<String>,
    limit: Duration,
    /// Declared on every new connection, before anybody else has it.
    topology: Option<Arc<Topology>>,
    state: Mutex<State>,
}

struct State {
    connection: Option<Arc<Connection>>,
    backoff: Backoff,
    not_before: Instant,
}

impl Link {
    pub(crate) fn new(
        name: &'static str,
        mut uri: AMQPUri,
        config: &RabbitMqConfig,
        topology: Option<Arc<Topology>>,
    ) -> Self {
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        let state = State {
            connection: None,
            backoff: Backoff::new(config.reconnect_first, config.reconnect_longest),
            not_before: Instant::now(),
        };
        Self {
            name,
            uri,
            certificate_authorities: config.certificate_authorities.clone(),
            limit: config.connect_timeout,
            topology,
            state: Mutex::new(state),
        }
    }

    /// The connection; made now when there is none, after the pause that the last failure asked for.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>> {
        let mut state = self.state.lock().await;
        if let Some(connection) = &state.connection
            && connection.status().connected()
        {
            return Ok(connection.clone());
        }
        state.connection = None;
        sleep_until(state.not_before).await;
        // Should the caller lose patience in the middle, the next one does not start at once.
        state.not_before = Instant::now() + state.backoff.pause();
        let connection = Arc::new(self.open().await?);
        self.prepare(&connection).await?;
        state.backoff.reset();
        state.not_before = Instant::now();
        state.connection = Some(connection.clone());
        metrics::counter!(florin_kernel::metric::QUEUE_CONNECTIONS.name, "florin.link" => self.name)
            .increment(1);
        tracing::info!(network.peer.address = %self.uri.authority.host, florin.link = self.name, "connected to RabbitMQ");
        Ok(connection)
    }

    /// A channel of one's own.
    pub(crate) async fn channel(&self) -> Result<Channel> {
        let connection = self.connection().await?;
        within(self.limit, "open a channel", connection.create_channel()).await
    }

    /// Whether the broker has told us to stop publishing.
    pub(crate) async fn is_blocked(&self) -> bool {
        let state = self.state.lock().await;
        state.connection.as_ref().is_some_and(|connection| connection.status().blocked())
    }

    /// The next one who asks gets a new connection, with everything declared again. Channels in use stay whole.
    pub(crate) async fn renew(&self) {
        self.state.lock().await.connection = None;
    }

    async fn open(&self) -> Result<Connection> {
        let limit = self.limit;
        let tls = OwnedTLSConfig { identity: None, cert_chain: self.certificate_authorities.clone() };
        let properties = ConnectionProperties::default().with_connection_name(self.name.into());
        let runtime = lapin::runtime::default_runtime()?;
        let connecting = Connection::connector(
            self.uri.clone(),
            runtime,
            // Bounded inside as well: lapin waits for the socket on a thread of its own.
            async move |uri, runtime| {
                within(limit, "connect", async {
                    Ok(uri.connect_with_config_async(tls.as_ref(), &runtime).await?)
                })
                .await
            },
            properties,
        );
        within(limit, "open a connection", connecting).await
    }

    async fn prepare(&self, connection: &Connection) -> Result<()> {
        let Some(topology) = &self.topology else { return Ok(()) };
        let channel = within(self.limit, "open a channel", connection.create_channel()).await?;
        topology.declare_all(&channel, &topology.known(), self.limit).await
    }
}
