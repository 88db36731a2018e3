//! One broker as this process uses it: a link to publish, a link to consume, and what is declared.

use std::sync::Arc;

use florin_queue::port::{QueueError, Subscription};
use lapin::uri::AMQPUri;

use crate::config::RabbitMqConfig;
use crate::failure::{is_configuration, queue_error};
use crate::link::Link;
use crate::names::Names;
use crate::outlet::Outlet;
use crate::topology::Topology;

pub(crate) struct Broker {
    pub(crate) config: RabbitMqConfig,
    pub(crate) names: Names,
    pub(crate) topology: Arc<Topology>,
    pub(crate) outlet: Outlet,
    pub(crate) consuming: Link,
}

impl Broker {
    pub(crate) fn new(config: RabbitMqConfig) -> Result<Self, QueueError> {
        let refuse = |why: &str| QueueError(format!("RabbitMQ: {why}"));
        // The parser's own words may repeat the URL, which has a password.
        let uri: AMQPUri = config.url.parse().map_err(|_| refuse("the URL is not amqp:// or amqps://"))?;
        let names = Names::new(&config.prefix, &config.exchange)
            .ok_or_else(|| refuse("the exchange's name is longer than 255 bytes"))?;
        let topology = Arc::new(Topology::new(names.clone()));
        let publishing = Link::new("florin publishes", uri.clone(), &config, Some(topology.clone()));
        let outlet = Outlet::new(publishing, config.confirm_timeout);
        let consuming = Link::new("florin consumes", uri, &config, None);
        Ok(Self { names, topology, outlet, consuming, config })
    }

    /// Refuses what AMQP has no room for.
    pub(crate) fn check(&self, subscriptions: &[Subscription]) -> Result<(), QueueError> {
        match subscriptions.iter().find(|one| !self.names.fit(one)) {
            None => Ok(()),
            Some(one) => Err(QueueError(format!("RabbitMQ: the names of {} are too long", one.function))),
        }
    }

    /// Declares now, or with the next connection when the broker is away: before anything is published either way.
    pub(crate) async fn declare(&self, subscriptions: &[Subscription]) -> Result<(), QueueError> {
        self.check(subscriptions)?;
        self.topology.learn(subscriptions);
        let declaring = async {
            let channel = self.outlet.link().channel().await?;
            self.topology.declare_all(&channel, subscriptions, self.config.connect_timeout).await
        };
        let Err(error) = declaring.await else { return Ok(()) };
        self.outlet.link().renew().await;
        if is_configuration(&error) {
            return Err(queue_error("queues cannot be declared", &error));
        }
        tracing::warn!(error.message = %error, "RabbitMQ is away: queues are declared when it is back");
        Ok(())
    }
}
