//! Which broker the deployment uses, behind the one port.

use std::sync::Arc;

use florin_kernel::service::Definition;
use florin_kernel::time::Clock;
use florin_queue::embedded::EmbeddedQueue;
use florin_queue::http_publisher::{HttpPublisher, HttpPublishing};
use florin_queue::port::{Publisher, Subscriber, Subscription};

use crate::config::Config;
use crate::deployment::HostError;
use crate::lock::Lock;

/// The broker of a deployment.
pub struct Broker {
    /// Where events are published.
    pub publisher: Arc<dyn Publisher>,
    /// Where they are consumed; none where the platform pushes them.
    pub subscriber: Option<Arc<dyn Subscriber>>,
    /// The embedded queue, when it is that.
    pub embedded: Option<Arc<EmbeddedQueue>>,
    #[cfg(feature = "sqs")]
    /// Amazon SQS, when it is that.
    pub sqs: Option<Arc<florin_sqs::Sqs>>,
}

/// Every subscription of these services, whoever consumes it.
pub fn subscriptions(services: &[&Definition]) -> Vec<Subscription> {
    services.iter().flat_map(|service| Subscription::of(service.functions)).collect()
}

/// What carries events, as spans and metrics name it (messaging attributes, `messaging.system`).
pub fn messaging_system(config: &Config) -> &'static str {
    match config.get("queue_url").and_then(|url| url.split(':').next()) {
        None => "florin",
        Some("amqp" | "amqps") => "rabbitmq",
        Some("sqs") => "aws_sqs",
        Some(_) => "cloudevents",
    }
}

impl Broker {
    /// Opens the broker; a process that serves shows its lock.
    pub async fn open(config: &Config, clock: Clock, serving: Option<&Lock>) -> Result<Self, HostError> {
        let token_file = config.get("queue_token_file");
        let is_sink = |url: &&str| url.starts_with("http://") || url.starts_with("https://");
        // Whoever says it expects that a token is sent.
        if token_file.is_some() && config.get("queue_url").filter(is_sink).is_none() {
            return Err(HostError(
                "FLORIN_QUEUE_TOKEN_FILE needs a sink: an http(s):// address in FLORIN_QUEUE_URL or K_SINK"
                    .to_owned(),
            ));
        }
        let all = subscriptions(config.services());
        let bare = |publisher: Arc<dyn Publisher>, subscriber| Self {
            publisher,
            subscriber,
            embedded: None,
            #[cfg(feature = "sqs")]
            sqs: None,
        };
        match config.get("queue_url") {
            None => {
                let data = config.data();
                std::fs::create_dir_all(&data)
                    .map_err(|error| HostError(format!("{} cannot be made: {error}", data.display())))?;
                let queue = EmbeddedQueue::open(&data, clock).await?;
                if let Some(lock) = serving.and_then(|lock| lock.of(&data)) {
                    queue.take_over(lock).await?;
                }
                queue.declare(&all).await?;
                Ok(Self {
                    embedded: Some(Arc::clone(&queue)),
                    ..bare(Arc::clone(&queue) as Arc<dyn Publisher>, Some(queue as Arc<dyn Subscriber>))
                })
            }
            #[cfg(feature = "rabbitmq")]
            Some(url) if url.starts_with("amqp://") || url.starts_with("amqps://") => {
                let mut rabbitmq = florin_rabbitmq::RabbitMqConfig::new(url);
                rabbitmq.prefix = config.get("queue_prefix").unwrap_or_default().to_owned();
                let queue = Arc::new(florin_rabbitmq::RabbitMq::connect(rabbitmq)?);
                // Away is not an error: the relay publishes when the broker is back.
                if let Err(error) = queue.declare(&all).await {
                    tracing::warn!(error.message = %error, "the broker is away; its queues are made when it is back");
                }
                Ok(bare(Arc::clone(&queue) as Arc<dyn Publisher>, Some(queue as Arc<dyn Subscriber>)))
            }
            #[cfg(feature = "sqs")]
            Some(url) if url.starts_with("sqs://") => {
                let sqs_config: florin_sqs::SqsConfig = url.parse()?;
                let queue = Arc::new(florin_sqs::Sqs::connect(sqs_config).await);
                if serving.is_some() {
                    queue.declare_within(&all, DECLARED_WITHIN).await?;
                } else {
                    // A function that starts cold asks AWS nothing, and a command makes nothing.
                    queue.route(&all)?;
                }
                Ok(Self {
                    sqs: Some(Arc::clone(&queue)),
                    ..bare(Arc::clone(&queue) as Arc<dyn Publisher>, Some(queue as Arc<dyn Subscriber>))
                })
            }
            Some(url) if is_sink(&url) => {
                let mut publisher = HttpPublisher::new(url, HttpPublishing::default())?;
                if let Some(file) = token_file {
                    publisher = publisher.with_token_file(file.into());
                }
                Ok(bare(Arc::new(publisher), None))
            }
            Some(url) => {
                let scheme = url.split(':').next().unwrap_or_default();
                Err(HostError(format!(
                    "FLORIN_QUEUE_URL: this build has no broker for {scheme}://; it knows http(s)://, and with the features \
                     rabbitmq and sqs (cargo build --features sqs) amqp(s):// and sqs://"
                )))
            }
        }
    }
}

/// How long a start waits for AWS to say that the queues are there. Then it goes on without the answer, and until that
/// comes events stay in the outbox.
#[cfg(feature = "sqs")]
const DECLARED_WITHIN: std::time::Duration = std::time::Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use florin_kernel::event::{Data, Event};
    use florin_queue::port::PublishError;

    use super::*;

    async fn open(settings: &[(&str, &str)]) -> Result<Broker, HostError> {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Broker::open(&Config::of(settings).unwrap(), Clock::System, None).await
    }

    #[tokio::test]
    async fn a_sink_gets_the_token_of_the_file_that_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        let file = file.to_str().unwrap();
        let settings = [("FLORIN_QUEUE_URL", "http://127.0.0.1:1/"), ("FLORIN_QUEUE_TOKEN_FILE", file)];
        let broker = open(&settings).await.unwrap();
        let event = Event {
            id: "1".to_owned(),
            source: "/florin/payments".to_owned(),
            kind: "florin.payment.captured.v1".to_owned(),
            subject: None,
            time: None,
            dataschema: None,
            extensions: Default::default(),
            data: Data::None,
        };
        let results = broker.publisher.publish(&[event]).await;
        let [Err(PublishError::NotConfirmed(why))] = &results[..] else { panic!("{results:?}") };
        assert!(why.contains(file), "{why}");
    }

    #[tokio::test]
    async fn a_token_without_a_sink_is_refused() {
        let token = ("FLORIN_QUEUE_TOKEN_FILE", "/oidc/token");
        for others in [&[][..], &[("FLORIN_QUEUE_URL", "amqp://127.0.0.1")]] {
            let error = open(&[others, &[token]].concat()).await.err().unwrap().to_string();
            assert!(error.contains("FLORIN_QUEUE_TOKEN_FILE"), "{error}");
        }
    }
}
