//! Publishes and waits for the broker's word: pipelined, mandatory where it matters, never one by one.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use florin_queue::port::PublishError;
use futures_util::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Error};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

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

/// Why a letter is not known to be stored.
#[derive(Debug)]
pub(crate) enum Unstored {
    /// It was not sent, or was returned: sent again, there is one of it.
    Nowhere(String),
    /// It was sent, and may be stored or yet become so: sent again, there may be two of it.
    Unknown(String),
}

impl Unstored {
    pub(crate) fn why(self) -> String {
        match self {
            Self::Nowhere(why) | Self::Unknown(why) => why,
        }
    }
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
        let (_permit, channel) = match self.prepare(deadline).await {
            Ok(prepared) => prepared,
            Err(error) => return vec![Err(PublishError::NotConfirmed(error.to_string())); letters.len()],
        };
        let publishing = letters.iter().map(|letter| before(deadline, "publish", publish(&channel, letter)));
        let answers = join_all(publishing).await;
        if answers.iter().all(Result::is_ok) {
            self.idle().push(channel);
        }
        let results = self.read(letters, answers).await.into_iter();
        results.map(|result| result.map_err(|unstored| PublishError::NotConfirmed(unstored.why()))).collect()
    }

    /// Publishes one letter, once. When no word of it comes in time, the word is waited for while `patience` lasts;
    /// others may have its place meanwhile.
    pub(crate) async fn send_one(
        &self,
        letter: &Letter,
        patience: impl Future<Output = ()>,
    ) -> Result<(), Unstored> {
        let deadline = Instant::now() + self.limit;
        let (permit, channel) =
            self.prepare(deadline).await.map_err(|error| Unstored::Nowhere(error.to_string()))?;
        let mut publishing = pin!(publish(&channel, letter));
        let answer = match timeout_at(deadline, &mut publishing).await {
            Ok(answer) => {
                if answer.is_ok() {
                    self.idle().push(channel.clone());
                }
                answer
            }
            Err(_) => {
                drop(permit);
                tokio::select! {
                    biased;
                    answer = publishing => answer,
                    () = patience => return Err(Unstored::Unknown("no answer in time to: publish".to_owned())),
                }
            }
        };
        let result = self.read(std::slice::from_ref(letter), vec![answer]).await.pop();
        result.unwrap_or_else(|| Err(Unstored::Unknown("no answer".to_owned())))
    }

    /// A place among those who publish, and a channel.
    async fn prepare(&self, deadline: Instant) -> Result<(SemaphorePermit<'_>, Channel), Error> {
        let prepared = before(deadline, "connect", async {
            let permit =
                self.gate.acquire().await.map_err(|closed| Error::from(std::io::Error::other(closed)))?;
            // Connected, and told to wait: connecting again would not help.
            if self.link.is_blocked().await {
                return Err(
                    std::io::Error::other("the broker takes nothing: it is short of memory or disk").into()
                );
            }
            Ok((permit, self.channel().await?))
        });
        prepared.await
    }

    async fn read(
        &self,
        letters: &[Letter],
        answers: Vec<Result<Confirmation, Error>>,
    ) -> Vec<Result<(), Unstored>> {
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
            let unknown = |why: &str| Err(Unstored::Unknown(why.to_owned()));
            match answer {
                Err(error) => unknown(&error.to_string()),
                // Some replica of the queue may have it all the same.
                Ok(Confirmation::Nack(_)) => unknown("the broker could not store it"),
                Ok(_) if returned.contains(&(letter.exchange.clone(), letter.routing_key.clone())) => {
                    let why = "no queue took it; queues and bindings are declared again";
                    Err(Unstored::Nowhere(why.to_owned()))
                }
                Ok(Confirmation::Ack(_)) => Ok(()),
                Ok(Confirmation::NotRequested) => unknown("the channel was not in confirm mode"),
            }
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

async fn publish(channel: &Channel, letter: &Letter) -> Result<Confirmation, Error> {
    let options = BasicPublishOptions { mandatory: letter.mandatory, immediate: false };
    let (exchange, routing_key) = (letter.exchange.clone(), letter.routing_key.clone());
    let properties = letter.properties.clone();
    channel.basic_publish(exchange, routing_key, options, &letter.body, properties).await?.await
}
