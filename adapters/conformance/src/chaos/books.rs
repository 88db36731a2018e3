//! What the clients of a round were answered, and so what has to be so afterwards.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// From one number to another: exact where the outcome is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) least: i64,
    pub(crate) most: i64,
}

impl Range {
    pub(crate) const fn exactly(number: i64) -> Self {
        Self { least: number, most: number }
    }

    /// It happened.
    pub(crate) fn add(&mut self, amount: i64) {
        self.least += amount;
        self.most += amount;
    }

    /// It may have happened.
    pub(crate) fn maybe(&mut self, amount: i64) {
        self.most += amount;
    }

    pub(crate) fn holds(self, number: i64) -> bool {
        (self.least..=self.most).contains(&number)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.least == self.most { self.least.fmt(f) } else { write!(f, "{} to {}", self.least, self.most) }
    }
}

/// What a client knows of a payment it asked for.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Whose it is: the place among the tenants of the round.
    pub(crate) tenant: usize,
    pub(crate) reference: String,
    /// None when no answer said it.
    pub(crate) id: Option<String>,
    /// How many payments there are under this reference.
    pub(crate) created: Range,
    pub(crate) received: Range,
    pub(crate) refunded: Range,
    pub(crate) canceled: Range,
    pub(crate) declined: Range,
    pub(crate) refunds: Range,
    /// How often operations of the payment itself were accepted.
    pub(crate) accepted: BTreeMap<&'static str, Range>,
    /// How often they were refused.
    pub(crate) refused: BTreeMap<&'static str, Range>,
}

impl Known {
    pub(crate) fn of(tenant: usize, reference: String) -> Self {
        let nothing = Range::exactly(0);
        Self {
            tenant,
            reference,
            id: None,
            created: nothing,
            received: nothing,
            refunded: nothing,
            canceled: nothing,
            declined: nothing,
            refunds: nothing,
            accepted: BTreeMap::new(),
            refused: BTreeMap::new(),
        }
    }

    /// An operation of the payment was accepted, or it may have been.
    pub(crate) fn accepted(&mut self, operation: &'static str, surely: bool) {
        count(&mut self.accepted, operation, surely);
    }

    /// An operation of the payment was refused, or it may have been.
    pub(crate) fn refused(&mut self, operation: &'static str, surely: bool) {
        count(&mut self.refused, operation, surely);
    }
}

fn count(of: &mut BTreeMap<&'static str, Range>, operation: &'static str, surely: bool) {
    let range = of.entry(operation).or_insert(Range::exactly(0));
    if surely {
        range.add(1);
    } else {
        range.maybe(1);
    }
}

/// A final answer under a key, which has to be the same for ever.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) tenant: usize,
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) body: Value,
    pub(crate) status: u16,
    pub(crate) bytes: Vec<u8>,
}

/// The books of a client, or of all.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) known: Vec<Known>,
    pub(crate) answers: Vec<Answer>,
    /// What was wrong at once.
    pub(crate) problems: Vec<String>,
    /// How many requests were sent.
    pub(crate) requests: u64,
    /// How many of them had no answer.
    pub(crate) unanswered: u64,
}

impl Books {
    pub(crate) fn take(&mut self, other: Self) {
        self.known.extend(other.known);
        self.answers.extend(other.answers);
        self.problems.extend(other.problems);
        self.requests += other.requests;
        self.unanswered += other.unanswered;
    }
}
