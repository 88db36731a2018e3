//! Publishing: events in batches to the topic or to each queue that wants them, and what fails once more.

mod message;
mod send;

use std::time::Duration;

use florin_kernel::event::Event;
use florin_queue::port::PublishError;
use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::{Instant, sleep, timeout_at};

use crate::Inner;
use crate::trouble::{AwsError, Trouble};
use message::{Outgoing, batches};
use send::Target;

/// How many batches are under way at once.
const PARALLEL: usize = 16;
/// How often a message is sent that AWS could not take at that moment.
const ROUNDS: u32 = 4;
/// The pause before the second round; it doubles.
const PAUSE: Duration = Duration::from_millis(100);
/// A publish ends within this, with an answer for each event: the relay holds its rows for 30 seconds.
const WITHIN: Duration = Duration::from_secs(20);

type Outcome = (usize, Result<(), PublishError>);

impl Inner {
    /// Publishes events; one result for each, in their order.
    pub(crate) async fn publish(&self, events: &[Event]) -> Vec<Result<(), PublishError>> {
        if self.routes.is_pending() {
            let why = || PublishError::NotConfirmed("there are queues that are not declared yet".to_owned());
            return events.iter().map(|_| Err(why())).collect();
        }
        let latest = Instant::now() + WITHIN;
        let mut results: Vec<Result<(), PublishError>> = events.iter().map(|_| Ok(())).collect();
        let mut messages = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            match Outgoing::of(index, event) {
                Ok(outgoing) => messages.push(outgoing),
                Err(error) => results[index] = Err(error),
            }
        }
        let mut sends = Vec::new();
        for (target, wanted) in self.targets(events, &messages, &mut results) {
            for batch in batches(wanted) {
                sends.push(self.send(target.clone(), batch, latest));
            }
        }
        let outcomes: Vec<Vec<Outcome>> = stream::iter(sends).buffer_unordered(PARALLEL).collect().await;
        for (index, outcome) in outcomes.into_iter().flatten() {
            worsen(&mut results[index], outcome);
        }
        results
    }

    /// Where each message goes.
    fn targets<'m>(
        &self,
        events: &[Event],
        messages: &'m [Outgoing],
        results: &mut [Result<(), PublishError>],
    ) -> Vec<(Target, Vec<&'m Outgoing>)> {
        if let Some(arn) = &self.config.topic_arn {
            return vec![(Target::Topic(arn.clone()), messages.iter().collect())];
        }
        let mut queues = std::collections::BTreeMap::<&'static str, Vec<&Outgoing>>::new();
        for outgoing in messages {
            let Some(functions) = self.routes.to(&events[outgoing.index]) else {
                // It would be lost for whoever is declared later.
                let why = "no subscription is declared, and there is no topic".to_owned();
                results[outgoing.index] = Err(PublishError::NotConfirmed(why));
                continue;
            };
            for function in functions {
                queues.entry(function).or_default().push(outgoing);
            }
        }
        let target = |function| Target::Queue(self.config.queue_name(function));
        queues.into_iter().map(|(function, wanted)| (target(function), wanted)).collect()
    }

    /// Sends one batch, and again what AWS could not take at that moment.
    async fn send(&self, target: Target, mut batch: Vec<&Outgoing>, latest: Instant) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for round in 1..=ROUNDS {
            let answers = match timeout_at(latest, self.send_once(&target, &batch)).await {
                Ok(Ok(answers)) => answers,
                // One that AWS refuses took the others with it: each goes by itself.
                Ok(Err(error)) if error.trouble == Trouble::Messages && batch.len() > 1 => {
                    for outgoing in batch {
                        outcomes.extend(Box::pin(self.send(target.clone(), vec![outgoing], latest)).await);
                    }
                    return outcomes;
                }
                // The SDK has tried again where that could help.
                Ok(Err(error)) => {
                    outcomes.extend(all(&batch, &failed(error)));
                    return outcomes;
                }
                Err(_) => {
                    let why = format!("AWS did not answer within {} s", WITHIN.as_secs());
                    outcomes.extend(all(&batch, &PublishError::NotConfirmed(why)));
                    return outcomes;
                }
            };
            let mut again = Vec::new();
            for (outgoing, answer) in batch.into_iter().zip(answers) {
                match answer {
                    Err(PublishError::NotConfirmed(_)) if round < ROUNDS => again.push(outgoing),
                    answer => outcomes.push((outgoing.index, answer)),
                }
            }
            if again.is_empty() {
                break;
            }
            metrics::counter!(florin_kernel::metric::QUEUE_RESENT.name)
                .increment(u64::try_from(again.len()).unwrap_or(0));
            batch = again;
            sleep(PAUSE * 2_u32.pow(round - 1)).await;
        }
        outcomes
    }
}

fn all<'b>(batch: &'b [&Outgoing], error: &'b PublishError) -> impl Iterator<Item = Outcome> + 'b {
    batch.iter().map(|outgoing| (outgoing.index, Err(error.clone())))
}

fn failed(error: AwsError) -> PublishError {
    match error.trouble {
        Trouble::Messages => PublishError::Refused(error.said),
        Trouble::Away | Trouble::NoQueue | Trouble::Configuration => PublishError::NotConfirmed(error.said),
    }
}

/// Keeps the worse of two results: refused by one queue is refused, whatever the others said.
fn worsen(result: &mut Result<(), PublishError>, other: Result<(), PublishError>) {
    let rank = |result: &Result<(), PublishError>| match result {
        Ok(()) => 0,
        Err(PublishError::NotConfirmed(_)) => 1,
        Err(PublishError::Refused(_)) => 2,
    };
    if rank(&other) > rank(result) {
        *result = other;
    }
}
