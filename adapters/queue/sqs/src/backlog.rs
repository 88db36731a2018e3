//! How much waits in the queues, as SQS counts it: approximately.

use aws_sdk_sqs::types::QueueAttributeName;
use florin_queue::port::{QueueBacklog, QueueError, Subscription};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::Inner;
use crate::trouble::{AwsError, Trouble};

/// Due, being delivered, and due later.
const COUNTS: [QueueAttributeName; 3] = [
    QueueAttributeName::ApproximateNumberOfMessages,
    QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    QueueAttributeName::ApproximateNumberOfMessagesDelayed,
];
/// How many queues are asked at once.
const PARALLEL: usize = 8;

impl Inner {
    /// What waits in each of these queues. How long is known to CloudWatch alone (`ApproximateAgeOfOldestMessage`).
    pub(crate) async fn backlog(
        &self,
        subscriptions: &[Subscription],
    ) -> Result<Vec<QueueBacklog>, QueueError> {
        let asked: Vec<_> =
            subscriptions.iter().map(|subscription| self.count(subscription.function)).collect();
        let told: Vec<Option<QueueBacklog>> = stream::iter(asked).buffered(PARALLEL).try_collect().await?;
        Ok(told.into_iter().flatten().collect())
    }

    async fn count(&self, function: &str) -> Result<Option<QueueBacklog>, QueueError> {
        let url = match self.url(&self.config.queue_name(function)).await {
            Ok(url) => url,
            Err(error) if error.trouble == Trouble::NoQueue => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let call = self.sqs.get_queue_attributes().queue_url(url);
        let answer = call.set_attribute_names(Some(COUNTS.to_vec())).send().await.map_err(AwsError::from)?;
        let told = answer.attributes.unwrap_or_default();
        let messages = COUNTS.iter().filter_map(|name| told.get(name)?.parse::<u64>().ok()).sum();
        Ok(Some(QueueBacklog { function: function.to_owned(), messages, knows_age: false, oldest: None }))
    }
}
