//! The queues of the subscriptions: looked up, or made where the configuration says so.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use florin_queue::port::{QueueError, Subscription};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::trouble::{AwsError, Trouble};
use crate::{Inner, names};

/// How often SQS delivers a message before it moves it to the dead queue: a backstop against what kills the
/// process, far above Florin's own count of attempts.
pub(crate) const MAX_RECEIVE_COUNT: u32 = 100;
/// How long a queue keeps a message, in seconds: the longest there is, 14 days.
const RETENTION_S: u32 = 14 * 24 * 60 * 60;
/// How many queues are declared at once.
const PARALLEL: usize = 8;
/// The pause before AWS is asked again; it doubles.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between tries while AWS is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Inner {
    /// Looks up or makes the queues, and routes published events to them from now on.
    ///
    /// While AWS is away, or when it has not done all of it within `patience`, queues that only have to be found are
    /// found when they are used. Queues that have to be made are asked for again until they are there, and until then
    /// no event is said to be published.
    pub(crate) async fn declare(
        self: &Arc<Self>,
        subscriptions: &[Subscription],
        patience: Duration,
    ) -> Result<(), QueueError> {
        for subscription in subscriptions {
            names::check(&self.config.queue_name(subscription.function))?;
        }
        self.routes.add(subscriptions);
        // From before the first of them is asked for: a topic takes an event that no queue listens for yet.
        self.routes.begin_pending();
        let declared = timeout(patience, self.declare_all(subscriptions)).await;
        let declared = declared.unwrap_or_else(|_| {
            let said = format!("it has not answered within {patience:?}");
            Err(AwsError { trouble: Trouble::Away, said })
        });
        let declared = match declared {
            Err(error) if error.trouble == Trouble::Away => {
                tracing::warn!(
                    error.message = error.said,
                    "AWS is away: the queues are declared when it is back"
                );
                if self.config.create {
                    self.declare_later(subscriptions.to_vec());
                    return Ok(());
                }
                Ok(())
            }
            declared => declared,
        };
        self.routes.end_pending();
        Ok(declared?)
    }

    /// Asks until all is declared, and ends what is pending then. What is refused now may be allowed later, as a
    /// right that was given a moment ago: nobody waits for an error here, and to go on would lose events.
    fn declare_later(self: &Arc<Self>, subscriptions: Vec<Subscription>) {
        let inner = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut pause = PAUSE;
            loop {
                sleep(pause).await;
                let Some(inner) = inner.upgrade() else { return };
                match inner.declare_all(&subscriptions).await {
                    Ok(()) => return inner.routes.end_pending(),
                    Err(error) if error.trouble == Trouble::Away => {
                        tracing::warn!(error.message = error.said, "the queues are not declared yet")
                    }
                    Err(error) => {
                        tracing::error!(error.message = error.said, "the queues cannot be declared")
                    }
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        });
    }

    async fn declare_all(&self, subscriptions: &[Subscription]) -> Result<(), AwsError> {
        let each: Vec<_> = subscriptions.iter().map(|subscription| self.declare_one(*subscription)).collect();
        stream::iter(each).buffer_unordered(PARALLEL).try_collect().await
    }

    async fn declare_one(&self, subscription: Subscription) -> Result<(), AwsError> {
        let queue = self.config.queue_name(subscription.function);
        if self.config.create {
            self.create(subscription, &queue).await
        } else {
            self.url(&queue).await.map(|_| ())
        }
    }

    async fn create(&self, subscription: Subscription, queue: &str) -> Result<(), AwsError> {
        let kept = (Attribute::MessageRetentionPeriod, RETENTION_S.to_string());
        let (_, dead_arn) = self.create_queue(&names::dead(queue), std::slice::from_ref(&kept)).await?;
        let redrive = json!({ "deadLetterTargetArn": dead_arn, "maxReceiveCount": MAX_RECEIVE_COUNT });
        let attributes = [
            kept,
            (Attribute::RedrivePolicy, redrive.to_string()),
            (Attribute::VisibilityTimeout, self.config.visibility.as_secs().to_string()),
            (Attribute::ReceiveMessageWaitTimeSeconds, self.config.wait.as_secs().to_string()),
        ];
        let (url, arn) = self.create_queue(queue, &attributes).await?;
        match &self.config.topic_arn {
            Some(topic) => self.subscribe(topic, subscription, &url, &arn).await,
            None => Ok(()),
        }
    }

    /// Makes a queue with these attributes, or gives them to the one that is there; its address and ARN.
    async fn create_queue(
        &self,
        name: &str,
        attributes: &[(Attribute, String)],
    ) -> Result<(String, String), AwsError> {
        let mut call = self.sqs.create_queue().queue_name(name);
        for (attribute, value) in attributes {
            call = call.attributes(attribute.clone(), value);
        }
        let url = match call.send().await {
            Ok(made) => made.queue_url.unwrap_or_default(),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_queue_name_exists()) => {
                let url = self.url(name).await?;
                let mut call = self.sqs.set_queue_attributes().queue_url(&url);
                for (attribute, value) in attributes {
                    call = call.attributes(attribute.clone(), value);
                }
                call.send().await?;
                url
            }
            Err(error) => return Err(error.into()),
        };
        self.urls.put(name, &url);
        let call = self.sqs.get_queue_attributes().queue_url(&url).attribute_names(Attribute::QueueArn);
        let answer = call.send().await?;
        let arn = answer.attributes.and_then(|mut attributes| attributes.remove(&Attribute::QueueArn));
        Ok((url, arn.unwrap_or_default()))
    }
}
