//! Pauses that grow while something goes wrong, shortened by chance so that processes do not march in step.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

/// Doubling pauses between a first and a longest one.
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// The next pause: between half of it and all of it.
    pub(crate) fn pause(&mut self) -> Duration {
        let whole = self.next.min(self.longest);
        self.next = (whole * 2).min(self.longest);
        // The standard library's only source of chance; enough to spread reconnects.
        let thousandths = RandomState::new().hash_one("pause") % 501;
        whole * (500 + u32::try_from(thousandths).unwrap_or(0)) / 1000
    }

    /// It went well: the next pause is the first one again.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_start_again_after_success() {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(1));
        for whole_ms in [200, 400, 800, 1000, 1000] {
            let pause = backoff.pause();
            let whole = Duration::from_millis(whole_ms);
            assert!(pause >= whole / 2 && pause <= whole, "{pause:?} of {whole:?}");
        }
        backoff.reset();
        assert!(backoff.pause() <= Duration::from_millis(200));
    }
}
