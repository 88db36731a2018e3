//! What the broker is told about a message once its handler is done.

use std::sync::Arc;
use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_kernel::failpoint;
use florin_queue::cloudevents::DecodeError;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use lapin::types::ShortString;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::broker::Broker;
use crate::failure::within;
use crate::message;
use crate::names::step;
use crate::outlet::{Letter, Unstored};
use crate::topology::DELIVERY_LIMIT;

/// How long a message is held here at most that cannot be put elsewhere: far below the broker's time limit for an answer
/// (30 minutes).
const LONGEST_HOLD: Duration = Duration::from_secs(10 * 60);

/// Whether the consumer goes on or pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// The message was handled, one way or another.
    Attempted,
    /// It comes again, and nothing was tried: no use in taking the next one at once.
    NotAttempted,
}

/// A delivered message that the broker waits to hear about.
///
/// An answer that does not reach the broker is no loss: it delivers the message again.
pub(crate) struct Pending {
    pub(crate) broker: Arc<Broker>,
    pub(crate) function: &'static str,
    pub(crate) delivery: Delivery,
    /// The session is over and its channel gone. Its answers may never be taken: lapin lets an answer hang that
    /// was given while the connection broke.
    pub(crate) lost: CancellationToken,
    /// The session ends: what has no answer yet gets one now.
    pub(crate) ending: CancellationToken,
}

impl Pending {
    /// Answers by disposition.
    pub(crate) async fn answer(&self, disposition: &Disposition) -> Answered {
        let names = &self.broker.names;
        match disposition {
            // A permanent failure is stored as a dead letter by the handler.
            Disposition::Done | Disposition::Duplicate | Disposition::Permanent { .. } => {
                self.ack().await;
                Answered::Attempted
            }
            Disposition::Retry { after } => self.retry(*after).await,
            // Before RabbitMQ 4.3 each return counts toward the queue's limit, and a database may be away for long:
            // well before the limit the message goes to the end of its queue as a new one, whose count is zero.
            Disposition::NotAttempted
                if message::returns(&self.delivery) >= i64::from(DELIVERY_LIMIT / 2) =>
            {
                self.move_to(names.queue(self.function), None).await;
                Answered::NotAttempted
            }
            Disposition::NotAttempted => {
                self.requeue().await;
                Answered::NotAttempted
            }
        }
    }

    /// To the ladder; here for as long as the broker takes nothing, which is so while it is short of memory or disk. The
    /// attempt is counted: were the message given back at once, all of them would be made within minutes.
    ///
    /// It is sent again only while it surely is in no queue. A broker that stores and does not say so would else have a
    /// copy of each try, and all of them come back together, an attempt each.
    async fn retry(&self, after: Duration) -> Answered {
        let config = &self.broker.config;
        let began = Instant::now();
        let until = began + after.min(LONGEST_HOLD);
        let mut pauses = Backoff::new(config.pause_first, config.pause_longest);
        loop {
            let left = after.saturating_sub(began.elapsed());
            let queue = self.broker.names.retry(self.function, step(left));
            match self.put(queue, None, self.held(until)).await {
                Ok(()) => return Answered::Attempted,
                Err(Unstored::Nowhere(_)) => {
                    self.held(until.min(Instant::now() + pauses.pause())).await;
                    if until <= Instant::now() || self.lost.is_cancelled() || self.ending.is_cancelled() {
                        break;
                    }
                }
                Err(Unstored::Unknown(_)) => {
                    self.held(until).await;
                    break;
                }
            }
        }
        self.requeue().await;
        Answered::NotAttempted
    }

    /// Waits until this instant, or until the session ends.
    async fn held(&self, until: Instant) {
        tokio::select! {
            () = self.lost.cancelled() => {}
            () = self.ending.cancelled() => {}
            () = sleep_until(until) => {}
        }
    }

    /// A message that is no event goes to the function's dead queue, with the reason.
    pub(crate) async fn set_aside(&self, error: &DecodeError) -> Answered {
        let function = self.function;
        metrics::counter!(florin_kernel::metric::QUEUE_SET_ASIDE.name, "florin.function" => function)
            .increment(1);
        tracing::error!(
            florin.function = function,
            error.code = error.code(),
            error.message = %error,
            "a message that is no CloudEvent is set aside"
        );
        let reason = format!("{}: {error}", error.code());
        self.move_to(self.broker.names.dead(function), Some(&reason)).await
    }

    /// A handler that panicked: delivered again, and set aside by the broker when it never ends.
    pub(crate) async fn rejected(&self) -> Answered {
        tracing::error!(florin.function = self.function, "a handler panicked");
        // `basic.reject` counts in every version.
        self.tell(self.delivery.reject(BasicRejectOptions { requeue: true })).await;
        Answered::NotAttempted
    }

    /// Puts the message into another queue; when that cannot be, it comes again here.
    async fn move_to(&self, queue: ShortString, reason: Option<&str>) -> Answered {
        if self.put(queue, reason, std::future::ready(())).await.is_ok() {
            return Answered::Attempted;
        }
        self.requeue().await;
        Answered::NotAttempted
    }

    /// Publishes the message to another queue, waits until it is stored there, longer than usual while `patience` lasts,
    /// and only then lets go of it here.
    async fn put(
        &self,
        queue: ShortString,
        reason: Option<&str>,
        patience: impl Future<Output = ()>,
    ) -> Result<(), Unstored> {
        let letter = Letter {
            exchange: ShortString::default(),
            routing_key: queue,
            mandatory: true,
            properties: message::again(&self.delivery, reason),
            body: self.delivery.data.clone(),
        };
        let stored = self.broker.outlet.send_one(&letter, patience).await;
        match &stored {
            Ok(()) => {
                failpoint::hit(failpoint::MOVED_BEFORE_ACK);
                self.ack().await;
            }
            Err(Unstored::Nowhere(why) | Unstored::Unknown(why)) => {
                tracing::warn!(error.message = why, "a message could not be put elsewhere");
            }
        }
        stored
    }

    async fn ack(&self) {
        self.tell(self.delivery.ack(BasicAckOptions::default())).await;
    }

    async fn requeue(&self) {
        self.tell(self.delivery.nack(BasicNackOptions { requeue: true, ..Default::default() })).await;
    }

    async fn tell(&self, telling: impl Future<Output = lapin::Result<bool>>) {
        let told = tokio::select! {
            told = within(self.broker.config.connect_timeout, "take an answer", telling) => told,
            () = self.lost.cancelled() => Ok(false),
        };
        if !matches!(told, Ok(true)) {
            tracing::debug!("the channel is gone: the message comes again");
        }
    }
}
