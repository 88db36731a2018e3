//! One message on its way to its function, and what its disposition means to SQS.

use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use florin_kernel::cloudevents::{DecodeError, Limits, decode_sqs};
use florin_kernel::corridor::Disposition;
use florin_kernel::event::Event;
use florin_queue::redelivery_delay;
use tokio::time::sleep;

use super::Consumer;
use super::answer::Answer;
use super::hold::Hold;
use crate::filter;

/// The first pause after nobody could attempt a message; it doubles.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long one message is tried again here before another replica may have it.
const TRIED: Duration = Duration::from_secs(10 * 60);

impl Consumer {
    /// Deals with one message; without an answer it comes again when its hold runs out.
    pub(super) async fn handle(&self, message: Message, hold: Hold) -> Option<Answer> {
        let body = message.body.as_deref().unwrap_or_default();
        let event = match decode_sqs(body, &Limits::default()) {
            Ok(event) => event,
            Err(error) => return self.set_aside(&message, hold, &error).await,
        };
        if filter::stray(self.subscription, &event) {
            return Some(Answer::Delete(hold));
        }
        Some(match answer((self.handler)(event.clone()).await, hold) {
            Ok(answer) => answer,
            Err(hold) => self.pause(event, hold, &message).await,
        })
    }

    /// Nobody could attempt it. The first such message begins a pause and is tried again here, by and by; the
    /// others go back and rest. Were it given back and received at each try, a database that is away for an hour would
    /// use up the deliveries after which SQS itself moves a message to the dead queue.
    async fn pause(&self, event: Event, mut hold: Hold, message: &Message) -> Answer {
        if self.stop.is_cancelled() {
            return Answer::Again(hold, self.rest(message));
        }
        let Some(_pausing) = self.pause.begin() else { return Answer::Again(hold, self.rest(message)) };
        tracing::warn!(florin.function = self.subscription.function, "not attempted: the consumer pauses");
        metrics::counter!(florin_kernel::metric::QUEUE_PAUSES.name, "florin.function" => self.subscription.function).increment(1);
        let mut pause = PAUSE;
        while hold.age() < TRIED {
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = sleep(pause) => {}
            }
            match answer((self.handler)(event.clone()).await, hold) {
                Ok(answer) => return answer,
                Err(back) => hold = back,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Answer::Again(hold, self.rest(message))
    }

    /// How long a message rests that was not attempted. Not at all when the consumer stops: that says nothing of the
    /// message, and after an outage a deployment would hide for an hour what others could handle now.
    pub(super) fn rest(&self, message: &Message) -> Duration {
        if self.stop.is_cancelled() {
            return Duration::ZERO;
        }
        let count = &MessageSystemAttributeName::ApproximateReceiveCount;
        let received = message.attributes().and_then(|all| all.get(count));
        redelivery_delay(received.and_then(|times| times.parse().ok()).unwrap_or(1))
    }

    /// It is no event: it goes where people look, and then leaves the queue.
    async fn set_aside(&self, message: &Message, hold: Hold, why: &DecodeError) -> Option<Answer> {
        let id = message.message_id.as_deref().unwrap_or_default();
        let function = self.subscription.function;
        if let Err(error) = self.inner.bury(&self.dead, message, &why.to_string()).await {
            tracing::error!(
                florin.function = function,
                messaging.message.id = id,
                error.message = error.said,
                "a message that is no event cannot be set aside and stays"
            );
            return None;
        }
        tracing::error!(
            florin.function = function,
            messaging.message.id = id,
            error.code = why.code(),
            error.message = %why,
            "a message is no event and is set aside"
        );
        metrics::counter!(florin_kernel::metric::QUEUE_SET_ASIDE.name, "florin.function" => function)
            .increment(1);
        Some(Answer::Delete(hold))
    }
}

/// What SQS is told; its hold back when nobody could attempt it.
fn answer(disposition: Disposition, hold: Hold) -> Result<Answer, Hold> {
    match disposition {
        Disposition::Done | Disposition::Duplicate | Disposition::Permanent { .. } => {
            Ok(Answer::Delete(hold))
        }
        Disposition::Retry { after } => Ok(Answer::Again(hold, after)),
        Disposition::NotAttempted => Err(hold),
    }
}
