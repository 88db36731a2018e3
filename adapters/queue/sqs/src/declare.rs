//! The queues of the subscriptions: looked up, or made where the configuration says so.

use std::sync::{Arc, Weak};
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use florin_queue::port::{QueueError, Subscription};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::routes::Pending;
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
/// The longest pause before AWS is asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Inner {
    /// Looks up or makes the queues, and routes published events to them from now on.
    ///
    /// Waits no longer than `patience` for AWS. What it has not taken by then is asked for until it takes it, and until
    /// then no event is said to be published. So it is with queues that have to be made when AWS is away; those that
    /// only have to be found are then found when they are used.
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
        let pending = self.routes.begin_pending();
        let (answer, mut answered) = oneshot::channel();
        // In a task of its own: who stops waiting calls nothing off.
        tokio::spawn(declare_until_taken(Arc::downgrade(self), subscriptions.to_vec(), pending, answer));
        match timeout(patience, &mut answered).await {
            Ok(Ok(declared)) => return Ok(declared?),
            Ok(Err(_)) => return Err(QueueError("the declaration of the queues broke off".to_owned())),
            Err(_) => {}
        }
        // An answer that has just come is still heard; one that comes later is logged.
        answered.close();
        if let Ok(declared) = answered.try_recv() {
            return Ok(declared?);
        }
        tracing::warn!("AWS takes its time: the queues are not declared yet");
        Ok(())
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

/// Asks until AWS takes it. A refusal ends this if somebody still waits for the answer; where nobody does it may be a
/// right that is not given yet, and to publish meanwhile would lose events.
async fn declare_until_taken(
    inner: Weak<Inner>,
    subscriptions: Vec<Subscription>,
    pending: Pending,
    answer: oneshot::Sender<Result<(), AwsError>>,
) {
    let mut answer = Some(answer);
    let mut tell = |declared| answer.take().is_some_and(|answer| answer.send(declared).is_ok());
    let mut pause = PAUSE;
    while let Some(inner) = inner.upgrade() {
        match inner.declare_all(&subscriptions).await {
            Ok(()) => {
                drop(pending);
                tell(Ok(()));
                return;
            }
            Err(error) if error.trouble == Trouble::Away => {
                tracing::warn!(error.message = error.said, "AWS is away: the queues are not declared yet");
                // What infrastructure has made is found when it is used.
                if tell(Ok(())) && !inner.config.create {
                    return;
                }
            }
            Err(error) => {
                if tell(Err(error.clone())) {
                    return;
                }
                tracing::error!(error.message = error.said, "the queues cannot be declared");
            }
        }
        drop(inner);
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
