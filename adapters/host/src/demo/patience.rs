//! How long the demo waits for a suite that is away, and how it asks again.

use std::time::Duration;

/// Bounds of waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// How long the suite may be away before a request is given up.
    pub(super) away: Duration,
    /// How long an operation may stay open (202, processing): the suite's sweep has time to finish it.
    pub(super) open: Duration,
    /// The first pause.
    pub(super) first: Duration,
    /// The longest pause, whatever `Retry-After` says.
    pub(super) longest: Duration,
    /// The bound on one exchange; longer than a room and its wait for an effect may take.
    pub(super) exchange: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            away: Duration::from_secs(60),
            open: Duration::from_secs(120),
            first: Duration::from_millis(100),
            longest: Duration::from_secs(2),
            exchange: Duration::from_secs(45),
        }
    }
}

impl Patience {
    /// The pause before the next try: doubled each time, and no shorter than the suite asked for.
    pub(super) fn pause(&self, tries: u32, retry_after: Option<Duration>) -> Duration {
        let doubled = self.first.saturating_mul(1 << tries.saturating_sub(1).min(16));
        doubled.max(retry_after.unwrap_or_default()).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_heed_retry_after() {
        let patience = Patience::default();
        let millis = |tries, after| patience.pause(tries, after).as_millis();
        assert_eq!(
            [1, 2, 3, 4, 5, 6, 40].map(|tries| millis(tries, None)),
            [100, 200, 400, 800, 1600, 2000, 2000]
        );
        assert_eq!(millis(1, Some(Duration::from_secs(1))), 1000);
        assert_eq!(millis(1, Some(Duration::from_secs(3600))), 2000);
    }
}
