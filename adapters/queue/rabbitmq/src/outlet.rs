//! Publishes and waits for the broker's word: pipelined, mandatory where it matters, never one by one.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use florin_queue::port::PublishError;
use futures_util::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Error};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::failure::before;
use crate::link::Link;

/// How many batches are under way at once; each has a channel of its own.
const CHANNELS: usize = 8;

/// A message with where it goes.
pub(crate) struct Letter {
    /// Empty: the default exchange, where the routing key names a queue.
    pub(crate) exchange: ShortString,
    pub(crate) routing_key: ShortString,
    /// It must reach a queue. Otherwise nobody may want it, and that is well.
    pub(crate) mandatory: bool,
    pub(crate) properties: BasicProperties,
    pub(crate) body: Vec<u8>,
}

/// The publishing side.
///
/// One batch at a time has a channel: RabbitMQ returns what it cannot route before it confirms it, and confirms
/// many at once and out of order, so lapin cannot tell which confirm a return belongs to. Within a batch the
/// routing key tells: what was returned for one letter holds for every letter with the same address.
pub(crate) struct Outlet {
    link: Link,
    limit: Duration,
    gate: Semaphore,
    idle: Mutex<Vec<Channel>>,
}

impl Outlet {
    pub(crate) fn new(link: Link, limit: Duration) -> Self {
        Self { link, limit, gate: Semaphore::new(CHANNELS), idle: Mutex::new(Vec::new()) }
    }

    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Publishes; one result for each letter, in the order given.
    pub(crate) async fn send(&self, letters: &[Letter]) -> Vec<Result<(), PublishError>> {
        if letters.is_empty() {
            return Vec::new();
        }
        let deadline = Instant::now() + self.limit;
        let prepared = before(deadline, "connect", async {
            let permit =
                self.gate.acquire().await.map_err(|closed| Error::from(std::io::Error::other(closed)))?;
            // Connected, and told to wait: connecting again would not help.
            if self.link.is_blocked().await {
                return Err(
                    std::io::Error::other("the broker takes nothing: it is short of memory or disk").into()
                );
            }
            Ok::<_, Error>((permit, self.channel().await?))
        });
        let (_permit, channel) = match prepared.await {
            Ok(prepared) => prepared,
            Err(error) => return vec![Err(unconfirmed(&error)); letters.len()],
        };
        let publishing = letters.iter().map(|letter| async {
            let published = async { publish(&channel, letter).await?.await };
            before(deadline, "publish", published).await
        });
        let answers = join_all(publishing).await;
        if answers.iter().all(Result::is_ok) && channel.status().connected() {
            self.idle().push(channel);
        }
        self.read(letters, answers).await
    }

    async fn read(
        &self,
        letters: &[Letter],
        answers: Vec<Result<Confirmation, Error>>,
    ) -> Vec<Result<(), PublishError>> {
        let mut returned = HashSet::new();
        for answer in answers.iter().flatten() {
            if let Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message)) = answer {
                returned.insert((message.exchange.clone(), message.routing_key.clone()));
            }
        }
        if !returned.is_empty() {
            // A queue or a binding is gone. A new connection declares everything again.
            self.idle().clear();
            self.link.renew().await;
        }
        let results = letters.iter().zip(answers).map(|(letter, answer)| {
            let why = match answer {
                Err(error) => return Err(unconfirmed(&error)),
                Ok(Confirmation::Nack(_)) => "the broker could not store it",
                Ok(_) if returned.contains(&(letter.exchange.clone(), letter.routing_key.clone())) => {
                    "no queue took it; queues and bindings are declared again"
                }
                Ok(Confirmation::Ack(_)) => return Ok(()),
                Ok(Confirmation::NotRequested) => "the channel was not in confirm mode",
            };
            Err(PublishError::NotConfirmed(why.to_owned()))
        });
        results.collect()
    }

    async fn channel(&self) -> Result<Channel, Error> {
        while let Some(channel) = self.pop() {
            if channel.status().connected() {
                return Ok(channel);
            }
        }
        let channel = self.link.channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    }

    fn pop(&self) -> Option<Channel> {
        self.idle().pop()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Channel>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn publish(channel: &Channel, letter: &Letter) -> Result<lapin::PublisherConfirm, Error> {
    let options = BasicPublishOptions { mandatory: letter.mandatory, immediate: false };
    let (exchange, routing_key) = (letter.exchange.clone(), letter.routing_key.clone());
    channel.basic_publish(exchange, routing_key, options, &letter.body, letter.properties.clone()).await
}

fn unconfirmed(error: &Error) -> PublishError {
    PublishError::NotConfirmed(error.to_string())
}
