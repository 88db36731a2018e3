//! One function's queue: long polls, handlers side by side, and answers in batches.

mod answer;
mod handle;
mod hold;
mod pause;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use florin_queue::port::{Handler, QueueError, Subscription};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::settle::MOST;
use crate::trouble::{AwsError, Trouble};
use crate::{Inner, names};
use answer::Answer;
use hold::{Hold, Holds};
use pause::Pause;

/// The first pause after AWS could not be asked; it doubles.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a poll that is under way at `stop` may still end. SQS may give messages to a poll that nobody waits
/// for any more: they are not lost, and hidden until their visibility ends.
const LAST_POLL: Duration = Duration::from_secs(2);

/// What the handlers of one queue share.
struct Consumer {
    inner: Arc<Inner>,
    subscription: Subscription,
    handler: Handler,
    url: String,
    dead: String,
    holds: Arc<Holds>,
    pause: Pause,
    stop: CancellationToken,
}

/// Consumes one queue until `stop`. Only a queue that is not there, or not ours to read, is an error.
pub(crate) async fn consume(
    inner: Arc<Inner>,
    subscription: Subscription,
    concurrency: usize,
    handler: Handler,
    stop: CancellationToken,
) -> Result<(), QueueError> {
    let queue = inner.config.queue_name(subscription.function);
    names::check(&queue)?;
    let Some(url) = find(&inner, &queue, &stop).await? else { return Ok(()) };
    let consumer = Arc::new(Consumer {
        dead: names::dead(&queue),
        holds: Holds::new(inner.config.visibility),
        pause: Pause::new(),
        inner,
        subscription,
        handler,
        url,
        stop,
    });
    let (answers, given) = unbounded_channel();
    let polling = async {
        tokio::select! {
            () = consumer.poll(concurrency.max(1), answers) => {}
            () = consumer.holds.renew(&consumer.inner, &consumer.url) => {}
        }
    };
    tokio::join!(polling, answer::give(&consumer.inner, &consumer.url, &consumer.holds, given));
    Ok(())
}

/// The address of the queue, however long AWS is away or the queue is still to be declared; nothing when that is until
/// `stop`.
async fn find(inner: &Inner, queue: &str, stop: &CancellationToken) -> Result<Option<String>, QueueError> {
    let mut pause = PAUSE;
    loop {
        // Before it is asked for: the queue may be made while the answer is on its way.
        let pending = inner.routes.is_pending();
        let found = tokio::select! {
            () = stop.cancelled() => return Ok(None),
            found = inner.url(queue) => found,
        };
        match found {
            Ok(url) => return Ok(Some(url)),
            Err(error) if error.trouble == Trouble::Away || pending => {
                wait(queue, &error, &mut pause, stop).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits before AWS is asked again.
async fn wait(queue: &str, error: &AwsError, pause: &mut Duration, stop: &CancellationToken) {
    tracing::warn!(messaging.destination.name = queue, error.message = error.said, "SQS cannot be asked");
    tokio::select! {
        () = stop.cancelled() => {}
        () = sleep(*pause) => {}
    }
    *pause = (*pause * 2).min(LONGEST_PAUSE);
}

impl Consumer {
    /// Polls until `stop`, and returns when the handlers that had begun are done.
    async fn poll(self: &Arc<Self>, concurrency: usize, answers: UnboundedSender<Answer>) {
        let slots = Arc::new(Semaphore::new(concurrency));
        let mut handling = JoinSet::new();
        // Never more than can be handled at once: a busy process holds nothing that another could handle.
        while let Some(received) = self.next(&slots, concurrency.min(MOST)).await {
            for (message, hold) in received {
                match self.slot(&slots).await {
                    Some(slot) => {
                        let (consumer, answers) = (self.clone(), answers.clone());
                        handling.spawn(async move {
                            if let Some(answer) = consumer.handle(message, hold).await {
                                // Answers are taken until the last of those who give them is gone.
                                let _ = answers.send(answer);
                            }
                            drop(slot);
                        });
                    }
                    None => drop(answers.send(Answer::Again(hold, self.rest(&message)))),
                }
            }
            while let Some(ended) = handling.try_join_next() {
                self.ended(ended);
            }
        }
        while let Some(ended) = handling.join_next().await {
            self.ended(ended);
        }
    }

    /// The next messages, which may be none; nothing at `stop`.
    async fn next(&self, slots: &Semaphore, most: usize) -> Option<Vec<(Message, Hold)>> {
        let mut pause = PAUSE;
        loop {
            let ready = async {
                drop(slots.acquire().await);
                // Afterwards: what freed the slot may have begun the pause.
                self.pause.over().await;
            };
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                () = ready => {}
            }
            let mut receiving = pin!(self.receive(most));
            let received = tokio::select! {
                biased;
                received = &mut receiving => received,
                () = self.stop.cancelled() => timeout(LAST_POLL, receiving).await.ok()?,
            };
            match received {
                Ok(messages) => {
                    let receipt = |message: &Message| message.receipt_handle.clone().unwrap_or_default();
                    let held = |message: Message| (self.holds.hold(receipt(&message)), message);
                    return Some(
                        messages.into_iter().map(held).map(|(hold, message)| (message, hold)).collect(),
                    );
                }
                Err(error) => wait(&self.url, &error, &mut pause, &self.stop).await,
            }
        }
    }

    async fn receive(&self, most: usize) -> Result<Vec<Message>, AwsError> {
        let config = &self.inner.config;
        let seconds = |duration: Duration| i32::try_from(duration.as_secs()).unwrap_or(i32::MAX);
        let call = self.inner.sqs.receive_message().queue_url(&self.url);
        let answer = call
            .max_number_of_messages(i32::try_from(most).unwrap_or(1))
            .wait_time_seconds(seconds(config.wait))
            .visibility_timeout(seconds(config.visibility))
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .customize()
            .config_override(self.inner.patient(config.wait))
            .send()
            .await?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Room for one more handler; nothing when no more are to begin.
    async fn slot(&self, slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            () = self.pause.begun() => None,
            slot = slots.clone().acquire_owned() => slot.ok(),
        }
    }

    fn ended(&self, ended: Result<(), JoinError>) {
        if let Err(error) = ended {
            // It comes again when its hold runs out, and is set aside if it does this every time.
            let function = self.subscription.function;
            tracing::error!(florin.function = function, error.message = %error, "a handler ended without an answer");
        }
    }
}
