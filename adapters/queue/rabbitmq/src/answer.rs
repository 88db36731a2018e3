//! What the broker is told about a message once its handler is done.

use florin_kernel::corridor::Disposition;
use florin_queue::cloudevents::DecodeError;
use florin_queue::port::{PublishError, Subscription};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use lapin::types::ShortString;

use crate::broker::Broker;
use crate::message;
use crate::names::step;
use crate::outlet::Letter;
use crate::topology::DELIVERY_LIMIT;

/// Whether the consumer goes on or pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// The message was handled, one way or another.
    Attempted,
    /// It comes again, and nothing was tried: no use in taking the next one at once.
    NotAttempted,
}

/// Answers by disposition. An answer that does not reach the broker is no loss: it delivers the message again.
pub(crate) async fn answer(
    broker: &Broker,
    subscription: Subscription,
    delivery: &Delivery,
    disposition: &Disposition,
) -> Answered {
    match disposition {
        // A permanent failure is stored as a dead letter by the handler.
        Disposition::Done | Disposition::Duplicate | Disposition::Permanent { .. } => {
            ack(delivery).await;
            Answered::Attempted
        }
        Disposition::Retry { after } => {
            let queue = broker.names.retry(subscription.function, step(*after));
            move_to(broker, delivery, queue, None).await
        }
        // Before RabbitMQ 4.3 each return counts toward the queue's limit, and a database may be away for long:
        // well before the limit the message goes to the end of its queue as a new one, whose count is zero.
        Disposition::NotAttempted if message::returns(delivery) >= DELIVERY_LIMIT / 2 => {
            let queue = broker.names.queue(subscription.function);
            move_to(broker, delivery, queue, None).await;
            Answered::NotAttempted
        }
        Disposition::NotAttempted => {
            requeue(delivery).await;
            Answered::NotAttempted
        }
    }
}

/// A message that is no event goes to the function's dead queue, with the reason.
pub(crate) async fn set_aside(
    broker: &Broker,
    subscription: Subscription,
    delivery: &Delivery,
    error: &DecodeError,
) -> Answered {
    let function = subscription.function;
    metrics::counter!("florin_queue_set_aside_total", "function" => function).increment(1);
    tracing::error!(
        florin.function = function,
        error.code = error.code(),
        error.message = %error,
        "a message that is no CloudEvent is set aside"
    );
    let reason = format!("{}: {error}", error.code());
    move_to(broker, delivery, broker.names.dead(function), Some(&reason)).await
}

/// A handler that panicked: delivered again, and set aside by the broker when it never ends.
pub(crate) async fn rejected(delivery: &Delivery) -> Answered {
    tracing::error!("a handler panicked");
    // `basic.reject` counts in every version.
    let rejected = delivery.reject(BasicRejectOptions { requeue: true }).await;
    unheard(rejected);
    Answered::NotAttempted
}

/// Publishes the message to another queue, waits until it is stored there, and only then lets go of it here.
async fn move_to(broker: &Broker, delivery: &Delivery, queue: ShortString, reason: Option<&str>) -> Answered {
    let letter = Letter {
        exchange: ShortString::default(),
        routing_key: queue,
        mandatory: true,
        properties: message::again(delivery, reason),
        body: delivery.data.clone(),
    };
    let stored = broker.outlet.send(std::slice::from_ref(&letter)).await.pop();
    match stored.unwrap_or_else(|| Err(PublishError::NotConfirmed("no answer".to_owned()))) {
        Ok(()) => {
            ack(delivery).await;
            Answered::Attempted
        }
        Err(error) => {
            tracing::warn!(error.message = %error, "a message could not be put elsewhere: it comes again");
            requeue(delivery).await;
            Answered::NotAttempted
        }
    }
}

async fn ack(delivery: &Delivery) {
    unheard(delivery.ack(BasicAckOptions::default()).await);
}

async fn requeue(delivery: &Delivery) {
    unheard(delivery.nack(BasicNackOptions { requeue: true, ..Default::default() }).await);
}

fn unheard(told: lapin::Result<bool>) {
    if !matches!(told, Ok(true)) {
        tracing::debug!("the channel is gone: the message comes again");
    }
}
