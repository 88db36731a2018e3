//! What everything on the broker is called.

use std::time::Duration;

use florin_kernel::corridor::LADDER;
use florin_queue::port::Subscription;
use lapin::types::{MAX_SHORT_STRING_LENGTH, ShortString};

/// The names of one deployment: its exchange and, per function, its queues.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
    exchange: ShortString,
}

impl Names {
    /// None when the exchange's name is too long for AMQP (255 bytes).
    pub(crate) fn new(prefix: &str, exchange: &str) -> Option<Self> {
        let exchange = ShortString::try_new(format!("{prefix}{exchange}")).ok()?;
        Some(Self { prefix: prefix.to_owned(), exchange })
    }

    /// The topic exchange of every event.
    pub(crate) fn exchange(&self) -> ShortString {
        self.exchange.clone()
    }

    /// A function's queue: the function's name.
    pub(crate) fn queue(&self, function: &str) -> ShortString {
        self.name(function, "")
    }

    /// What cannot be decoded, or killed the process again and again.
    pub(crate) fn dead(&self, function: &str) -> ShortString {
        self.name(function, ".dead")
    }

    /// One step of the ladder: messages wait here and go back to the function's queue.
    pub(crate) fn retry(&self, function: &str, step: Duration) -> ShortString {
        self.name(function, &format!(".retry.{}", step.as_secs()))
    }

    /// Whether AMQP has room for the names of a subscription: 255 bytes each.
    pub(crate) fn fit(&self, subscription: &Subscription) -> bool {
        let longest = self.prefix.len() + subscription.function.len() + ".retry.".len() + 20;
        longest <= MAX_SHORT_STRING_LENGTH
            && subscription.on.iter().all(|pattern| pattern.0.len() <= MAX_SHORT_STRING_LENGTH)
    }

    fn name(&self, function: &str, rest: &str) -> ShortString {
        // `fit` is asked before anything is declared or consumed: a name is never cut here.
        ShortString::try_new(format!("{}{function}{rest}", self.prefix)).unwrap_or_default()
    }
}

/// The step that is waited on for `after`: the shortest that is not shorter, else the longest.
pub(crate) fn step(after: Duration) -> Duration {
    LADDER.into_iter().find(|step| *step >= after).unwrap_or(LADDER[LADDER.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_waits_at_least_as_long_as_it_asked_unless_the_ladder_ends() {
        for (after, waits) in [(0, 1), (1, 1), (2, 5), (5, 5), (31, 120), (3_600, 3_600), (9_999, 3_600)] {
            assert_eq!(step(Duration::from_secs(after)), Duration::from_secs(waits), "after {after} s");
        }
        assert_eq!(step(Duration::from_millis(1_001)), Duration::from_secs(5));
    }

    #[test]
    fn names_carry_the_prefix_and_the_seconds_of_the_step() {
        let names = Names::new("eu.", "florin.events").unwrap();
        assert_eq!(names.exchange().as_str(), "eu.florin.events");
        assert_eq!(names.queue("audit.record").as_str(), "eu.audit.record");
        assert_eq!(names.dead("audit.record").as_str(), "eu.audit.record.dead");
        assert_eq!(names.retry("audit.record", Duration::from_secs(30)).as_str(), "eu.audit.record.retry.30");
    }
}
