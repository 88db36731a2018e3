//! A message of a queue on its way to its function, and what its disposition means to SQS.

use std::sync::Arc;
use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_kernel::service::Service;
use florin_queue::cloudevents::decode_sqs;
use florin_queue::port::Subscription;
use florin_queue::redelivery_delay;
use futures_util::future::{BoxFuture, join_all};
use tokio::time::timeout_at;

use crate::app::App;
use crate::batch::{Outcome, Record, Resting};
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
            // No outage: the release that has the function may be asked next.
            return Outcome::Failed;
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
                self.postpone(record.queue_arn, record.receipt_handle, after).await;
                Outcome::Failed
            }
            // The time was up; nothing is known of a database that was not waited for.
            Disposition::NotAttempted if budget.room_left().is_zero() => Outcome::Failed,
            Disposition::NotAttempted => Outcome::NotAttempted,
        }
    }

    /// Messages that nobody could attempt stay away for a while when SQS has delivered them often; else they come again
    /// after the queue's own time-out. So do those whose rest SQS does not confirm before the answer is due.
    pub(crate) async fn let_rest(&self, resting: Vec<Resting>, budget: Budget) {
        let resting = resting.into_iter().map(|one| (redelivery_delay(one.receive_count), one));
        let resting = resting.filter(|(rest, _)| !rest.is_zero());
        let telling =
            join_all(resting.map(|(rest, one)| self.postpone(one.queue_arn, one.receipt_handle, rest)));
        if timeout_at(budget.answer_is_due, telling).await.is_err() {
            tracing::warn!(
                "messages come again after the queue's own time-out: the queue took no rest in time"
            );
        }
    }

    async fn postpone(&self, queue_arn: String, receipt_handle: String, after: Duration) {
        let Some(postpone) = &self.postpone else { return };
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
