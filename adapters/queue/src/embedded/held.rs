//! What one consumer holds: messages that wait for a handler, that a handler has, and that are answered but not
//! yet in the store.

use std::collections::{HashSet, VecDeque};

use florin_kernel::event::Event;
use florin_kernel::time::Timestamp;
use tokio::time::Instant;

use super::claim::{Answer, Claimed, LEASE, Turned};
use crate::cloudevents::{Limits, decode_structured};

/// A backstop, far above what a reaction's own attempts come to: a message whose consumer went away this often
/// without an answer is taken for the reason. It is what SQS and RabbitMQ are configured to.
pub(super) const MOST_LOST: u32 = 100;

/// The store holds only what this queue encoded itself, so that no bound may keep it from being read again.
const LIMITS: Limits = Limits {
    max_event_bytes: usize::MAX,
    max_batch: 1,
    max_batch_bytes: usize::MAX,
    max_attributes: usize::MAX,
    max_attribute_bytes: usize::MAX,
    max_indexed_bytes: usize::MAX,
    max_depth: 127,
};

pub(super) struct Held {
    backlog: VecDeque<(i64, Event)>,
    running: HashSet<i64>,
    answers: Vec<(i64, Answer)>,
    answered_since: Option<Instant>,
    /// When the first of the leases may end.
    lease_ends: Timestamp,
}

impl Held {
    pub(super) fn new() -> Self {
        Self {
            backlog: VecDeque::new(),
            running: HashSet::new(),
            answers: Vec::new(),
            answered_since: None,
            lease_ends: Timestamp::from_micros(i64::MAX),
        }
    }

    /// How many wait for a handler.
    pub(super) fn waiting(&self) -> usize {
        self.backlog.len()
    }

    /// What the store does not know yet.
    pub(super) fn answers(&self) -> &[(i64, Answer)] {
        &self.answers
    }

    /// Since when the oldest answer waits.
    pub(super) fn answered_since(&self) -> Option<Instant> {
        self.answered_since
    }

    /// Whether nothing is left that a handler could still answer.
    pub(super) fn is_answered(&self) -> bool {
        self.backlog.is_empty() && self.running.is_empty()
    }

    /// The next message for a handler; none while a lease may have ended and another consumer may have it.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<(i64, Event)> {
        if now >= self.lease_ends {
            return None;
        }
        let next = self.backlog.pop_front();
        self.running.extend(next.as_ref().map(|(id, _)| *id));
        next
    }

    /// A handler is done with a message.
    pub(super) fn answer(&mut self, id: i64, answer: Answer) {
        self.running.remove(&id);
        self.push(id, answer);
    }

    /// A handler died with a message: its lease ends by itself, like that of a process that died.
    pub(super) fn lose(&mut self, id: i64) {
        self.running.remove(&id);
    }

    /// Gives back what no handler has begun.
    pub(super) fn give_back(&mut self, now: Timestamp) {
        while let Some((id, _)) = self.backlog.pop_front() {
            self.push(id, Answer::Due(now));
        }
    }

    /// The messages to renew: all that are held, once half of the first lease is over.
    pub(super) fn to_renew(&self, now: Timestamp) -> Vec<i64> {
        if self.is_answered() || now.plus(LEASE / 2) < self.lease_ends {
            return Vec::new();
        }
        self.backlog.iter().map(|(id, _)| *id).chain(self.running.iter().copied()).collect()
    }

    /// Takes in what a turn at the store came to.
    pub(super) fn turned(&mut self, turned: Turned, renewed: bool) {
        self.answers.clear();
        self.answered_since = None;
        if renewed {
            self.backlog.retain(|(id, _)| turned.kept.contains(id));
            self.lease_ends = turned.lease_ends;
        } else if self.is_answered() {
            self.lease_ends = turned.lease_ends;
        }
        for Claimed { id, lost, event } in turned.claimed {
            if lost >= i64::from(MOST_LOST) {
                let why = format!("{lost} times its consumer went away without an answer");
                self.push(id, Answer::SetAside(why));
                continue;
            }
            match decode_structured(event.as_bytes(), &LIMITS) {
                Ok(event) => self.backlog.push_back((id, event)),
                Err(error) => self.push(id, Answer::SetAside(format!("it does not read: {error}"))),
            }
        }
    }

    fn push(&mut self, id: i64, answer: Answer) {
        self.answered_since.get_or_insert_with(Instant::now);
        self.answers.push((id, answer));
    }
}
