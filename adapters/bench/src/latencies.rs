//! How long each of many things took, and what most of them took at most.

use std::time::Duration;

/// The durations of many things of one kind.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    nanos: Vec<u64>,
}

impl Latencies {
    /// Adds one.
    pub fn add(&mut self, took: Duration) {
        self.nanos.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds those of another round.
    pub fn extend(&mut self, other: &Self) {
        self.nanos.extend_from_slice(&other.nanos);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.nanos.len()
    }

    /// What this share of them took at most, in microseconds; nearest rank, none without one.
    pub fn percentile_us(&self, percent: f64) -> Option<f64> {
        let mut sorted = self.nanos.clone();
        sorted.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank lies between 0 and the count"
        )]
        let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
        let nanos = *sorted.get(rank.max(1) - 1)?;
        #[expect(clippy::cast_precision_loss, reason = "durations of seconds are far below 2^52 ns")]
        Some(nanos as f64 / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let mut all = Latencies::default();
        assert_eq!(all.percentile_us(50.0), None);
        for us in [4, 1, 3, 2] {
            all.add(Duration::from_micros(us));
        }
        assert_eq!(all.percentile_us(50.0), Some(2.0));
        assert_eq!(all.percentile_us(99.0), Some(4.0));
        assert_eq!(all.percentile_us(1.0), Some(1.0));
    }
}
