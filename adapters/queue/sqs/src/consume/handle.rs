//! One message on its way to its function, and what its disposition means to SQS.

use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use florin_kernel::cloudevents::{DecodeError, Limits, decode_sqs};
use florin_kernel::corridor::Disposition;
use florin_kernel::event::Event;
use florin_queue::rest;
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
        Some(match (self.handler)(event.clone()).await {
            Disposition::NotAttempted => self.pause(event, hold, rest_of(&message)).await,
            disposition => answer(disposition, hold),
        })
    }

    /// Nobody could attempt it. The first such message begins a pause and is tried again here, by and by; the
    /// others go back, to come again after `rest`. Were it given back and received at each try, a database that is away
    /// for an hour would use up the deliveries after which SQS itself moves a message to the dead queue.
    async fn pause(&self, event: Event, hold: Hold, rest: Duration) -> Answer {
        if self.stop.is_cancelled() {
            return Answer::Again(hold, rest);
        }
        let Some(_pausing) = self.pause.begin() else { return Answer::Again(hold, rest) };
        tracing::warn!(florin.function = self.subscription.function, "not attempted: the consumer pauses");
        metrics::counter!(florin_kernel::metric::QUEUE_PAUSES.name, "florin.function" => self.subscription.function).increment(1);
        let mut pause = PAUSE;
        while hold.age() < TRIED {
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = sleep(pause) => {}
            }
            match (self.handler)(event.clone()).await {
                Disposition::NotAttempted => pause = (pause * 2).min(LONGEST_PAUSE),
                disposition => return answer(disposition, hold),
            }
        }
        Answer::Again(hold, rest)
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

/// How long it rests when nobody could attempt it.
pub(super) fn rest_of(message: &Message) -> Duration {
    let received =
        message.attributes().and_then(|all| all.get(&MessageSystemAttributeName::ApproximateReceiveCount));
    let deliveries = received.and_then(|times| times.parse().ok()).unwrap_or(1);
    rest(deliveries)
}

fn answer(disposition: Disposition, hold: Hold) -> Answer {
    match disposition {
        Disposition::Done | Disposition::Duplicate | Disposition::Permanent { .. } => Answer::Delete(hold),
        Disposition::Retry { after } => Answer::Again(hold, after),
        Disposition::NotAttempted => Answer::Again(hold, Duration::ZERO),
    }
}
