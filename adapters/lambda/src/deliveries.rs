//! A message of a queue on its way to its function, and what its disposition means to SQS.

use std::sync::Arc;
use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_kernel::service::Service;
use florin_queue::cloudevents::decode_sqs;
use florin_queue::port::Subscription;
use florin_queue::rest;
use futures_util::future::{BoxFuture, join_all};

use crate::app::App;
use crate::batch::{Outcome, Record};
use crate::budget::Budget;

/// A message that is to come again after a while and not before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postponed {
    /// The ARN of its queue.
    pub queue_arn: String,
    /// What SQS knows this receipt of it by.
    pub receipt_handle: String,
    /// How long it stays invisible from now on.
    pub after: Duration,
}

/// Sets a message's visibility (SQS `ChangeMessageVisibility`). It never fails: where it cannot, it logs, and the
/// message comes again after the queue's own time-out.
pub type Postpone = Arc<dyn Fn(Postponed) -> BoxFuture<'static, ()> + Send + Sync>;

impl App {
    /// Delivers one message.
    pub(crate) async fn deliver(&self, record: Record, budget: Budget) -> Outcome {
        let Some((service, function)) = self.reaction_of(&record.queue) else {
            tracing::error!(messaging.destination.name = record.queue, "no function here has this queue");
            return Outcome::NotAttempted;
        };
        let event = match decode_sqs(&record.body, &self.limits) {
            Ok(event) => event,
            Err(error) => {
                // It has no identity to be a dead letter under: the queue's own dead-letter queue keeps it.
                tracing::error!(
                    messaging.message.id = record.message_id,
                    messaging.message.receive_count = record.receive_count,
                    error.message = %error,
                    "the message is not an event"
                );
                return Outcome::Failed;
            }
        };
        match service.deliver(function, event, Some(budget.room_left())).await {
            Disposition::Done | Disposition::Duplicate | Disposition::Permanent { .. } => Outcome::Done,
            Disposition::Retry { after } => {
                self.postpone(&record, after).await;
                Outcome::Failed
            }
            Disposition::NotAttempted => Outcome::NotAttempted,
        }
    }

    /// Messages that nobody could attempt stay away for a while when SQS has delivered them often; else they come again
    /// after the queue's own time-out.
    pub(crate) async fn let_rest(&self, records: &[Record]) {
        let resting = records.iter().map(|record| (record, rest(record.receive_count)));
        let resting = resting.filter(|(_, rest)| !rest.is_zero());
        join_all(resting.map(|(record, rest)| self.postpone(record, rest))).await;
    }

    async fn postpone(&self, record: &Record, after: Duration) {
        let Some(postpone) = &self.postpone else { return };
        let Record { queue_arn, receipt_handle, .. } = record.clone();
        postpone(Postponed { queue_arn, receipt_handle, after }).await;
    }

    /// The reaction that a queue is named after: its name with hyphens for dots, behind any prefix. Names of
    /// functions have no hyphen, so the longest that fits is the one.
    fn reaction_of(&self, queue: &str) -> Option<(&Arc<Service>, &'static str)> {
        let queue = queue.strip_suffix(".fifo").unwrap_or(queue);
        let fits = |function: &str| {
            let prefix = queue.strip_suffix(function.replace('.', "-").as_str());
            prefix.is_some_and(|prefix| prefix.is_empty() || prefix.ends_with(['-', '_']))
        };
        let reactions = self.services.iter().flat_map(|service| {
            Subscription::of(service.served()).map(move |subscription| (service, subscription.function))
        });
        reactions.filter(|(_, function)| fits(function)).max_by_key(|(_, function)| function.len())
    }
}
