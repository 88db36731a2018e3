//! One function's consumer: a session on the broker after another, handlers that outlive them.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use florin_queue::port::{Handler, QueueError, Subscription};
use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer, Error};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::answer::{Answered, Pending};
use crate::backoff::Backoff;
use crate::broker::Broker;
use crate::failure::{is_configuration, queue_error, within};
use crate::message;
use crate::under_way::UnderWay;

/// How long the broker may take to say goodbye; what it then still holds of ours it delivers again.
const GOODBYE: Duration = Duration::from_secs(5);

/// Consumes one subscription until it is told to stop.
pub(crate) struct QueueConsumer {
    pub(crate) broker: Arc<Broker>,
    pub(crate) subscription: Subscription,
    pub(crate) concurrency: usize,
    pub(crate) handler: Handler,
    pub(crate) stop: CancellationToken,
}

/// Why a session ended in order.
enum Ended {
    /// It was told to, and everything that began is answered.
    Stopped,
    /// Nothing came for a while and nothing is under way, or it lasted long enough.
    Renewed,
}

impl QueueConsumer {
    /// Sessions until `stop`. Only a broker that never once worked as configured ends it.
    pub(crate) async fn run(self) -> Result<(), QueueError> {
        let config = &self.broker.config;
        let mut backoff = Backoff::new(config.reconnect_first, config.reconnect_longest);
        let mut under_way = UnderWay::new(self.subscription.function, config);
        let mut worked = false;
        let ended = loop {
            let (channel, consumer) = tokio::select! {
                biased;
                () = self.stop.cancelled() => break Ok(()),
                begun = self.begin() => match begun {
                    Ok(begun) => begun,
                    Err(error) if !worked && is_configuration(&error) => {
                        break Err(queue_error(self.subscription.function, &error));
                    }
                    Err(error) => {
                        self.wait(&error, backoff.pause()).await;
                        continue;
                    }
                },
            };
            worked = true;
            backoff.reset();
            match self.session(&channel, consumer, &mut under_way).await {
                Ok(Ended::Stopped) => break Ok(()),
                Ok(Ended::Renewed) => {}
                Err(error) => self.wait(&error, backoff.pause()).await,
            }
        };
        // Without a session there is nobody to answer to, but what began is finished.
        under_way.all_end().await;
        ended
    }

    async fn wait(&self, error: &Error, pause: Duration) {
        tracing::warn!(
            florin.function = self.subscription.function,
            error.message = %error,
            "the queue is not reached: trying again"
        );
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    async fn begin(&self) -> Result<(Channel, Consumer), Error> {
        let limit = self.broker.config.connect_timeout;
        let channel = self.broker.consuming.channel().await?;
        self.broker.topology.declare_all(&channel, &[self.subscription], limit).await?;
        let started = async {
            channel.basic_qos(self.prefetch(), BasicQosOptions::default()).await?;
            let queue = self.broker.names.queue(self.subscription.function);
            let options = BasicConsumeOptions::default();
            channel.basic_consume(queue, "".into(), options, FieldTable::default()).await
        };
        let consumer = within(limit, "consume", started).await?;
        Ok((channel, consumer))
    }

    fn prefetch(&self) -> u16 {
        let two_each = u16::try_from(self.concurrency.saturating_mul(2)).unwrap_or(u16::MAX);
        self.broker.config.prefetch.min(two_each).max(1)
    }

    /// Takes and answers messages until it is stopped, nothing came for a while, or it lasted long enough.
    ///
    /// A queue may be deleted and made again before its channel hears of it. RabbitMQ (3.10, for one) then goes on with
    /// the consumer by itself, takes the new queue's first messages for ones that it has delivered, because they are
    /// counted from the beginning again, and keeps them back. Nothing tells a consumer of that, and only the end of its
    /// channel sets them free: so who hears nothing begins anew, and who hears of others' messages all the time does now
    /// and then.
    async fn session(
        &self,
        channel: &Channel,
        mut consumer: Consumer,
        under_way: &mut UnderWay,
    ) -> Result<Ended, Error> {
        let config = &self.broker.config;
        let renewed_at = Instant::now() + config.renew;
        let mut idle_at = Instant::now() + config.idle;
        let mut waiting = VecDeque::new();
        let lost = CancellationToken::new();
        let _lost_at_the_end = lost.clone().drop_guard();
        let ending = CancellationToken::new();
        let ended = loop {
            let paused_until = under_way.paused_until;
            while paused_until.is_none() && under_way.len() < self.concurrency.max(1) {
                let Some(delivery) = waiting.pop_front() else { break };
                under_way.begin(handle(self.pending(delivery, &lost, &ending), self.handler.clone()));
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break Ended::Stopped,
                // Before whatever a busy consumer always has: it is for just that consumer.
                () = sleep_until(renewed_at), if paused_until.is_none() => break Ended::Renewed,
                Some(()) = under_way.one_ends() => {}
                () = sleep_until(paused_until.unwrap_or_else(Instant::now)), if paused_until.is_some() => {
                    under_way.paused_until = None;
                }
                // Taken even while there is no room, at most as many as the broker hands over at once: only so is
                // the end of the connection noticed.
                delivery = consumer.next() => match delivery {
                    Some(delivery) => {
                        waiting.push_back(delivery?);
                        idle_at = Instant::now() + config.idle;
                    }
                    // The broker ended it: the queue was deleted or has lost its leader.
                    None => return Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into()),
                },
                () = sleep_until(idle_at),
                    if under_way.len() == 0 && waiting.is_empty() && paused_until.is_none() => break Ended::Renewed,
            }
        };
        ending.cancel();
        let handed_back = timeout(GOODBYE, hand_back(channel, consumer, waiting)).await;
        let ended = self.drain(ended, under_way).await;
        let closed = timeout(GOODBYE, channel.close(200, "stopped".into())).await;
        if !matches!((handed_back, closed), (Ok(Ok(())), Ok(Ok(())))) {
            tracing::debug!("the broker did not hear the goodbye: it delivers the rest again by itself");
        }
        Ok(ended)
    }

    /// Waits for what is under way: at the end for all of it, before a new beginning only for a while, because one handler
    /// that hangs would else stop the queue.
    async fn drain(&self, ended: Ended, under_way: &mut UnderWay) -> Ended {
        if let Ended::Renewed = ended {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {}
                () = under_way.all_end_within(self.broker.config.drain) => return Ended::Renewed,
            }
        }
        under_way.all_end().await;
        Ended::Stopped
    }

    fn pending(&self, delivery: Delivery, lost: &CancellationToken, ending: &CancellationToken) -> Pending {
        Pending {
            broker: self.broker.clone(),
            function: self.subscription.function,
            delivery,
            lost: lost.clone(),
            ending: ending.clone(),
        }
    }
}

/// Takes no more, and gives back at once what nobody began.
async fn hand_back(
    channel: &Channel,
    mut consumer: Consumer,
    mut waiting: VecDeque<Delivery>,
) -> Result<(), Error> {
    channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await?;
    while let Some(Ok(delivery)) = consumer.next().await {
        waiting.push_back(delivery);
    }
    for delivery in waiting {
        delivery.nack(BasicNackOptions { requeue: true, ..Default::default() }).await?;
    }
    Ok(())
}

async fn handle(mut pending: Pending, handler: Handler) -> Answered {
    let event = match message::decode(&mut pending.delivery) {
        Ok(event) => event,
        Err(error) => return pending.set_aside(&error).await,
    };
    // The kernel turns panics into faults; should one come this far, the message must not stay unanswered.
    match AssertUnwindSafe(handler(event)).catch_unwind().await {
        Ok(disposition) => pending.answer(&disposition).await,
        Err(_) => pending.rejected().await,
    }
}
