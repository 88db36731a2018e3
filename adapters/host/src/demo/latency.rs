//! How long exchanges took, by operation.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::table;

/// The durations of exchanges that were answered, by operation.
#[derive(Debug, Default)]
pub(super) struct Latencies(Mutex<BTreeMap<&'static str, Vec<Duration>>>);

/// One operation's durations, summed up.
struct Line {
    operation: &'static str,
    count: usize,
    p50: Duration,
    p95: Duration,
    p99: Duration,
}

impl Latencies {
    /// Notes one exchange.
    pub(super) fn note(&self, operation: &'static str, took: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(operation).or_default().push(took);
    }

    /// How many exchanges there were.
    pub(super) fn count(&self) -> usize {
        self.lines().iter().map(|line| line.count).sum()
    }

    fn lines(&self) -> Vec<Line> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |(operation, took): (&&'static str, &Vec<Duration>)| {
            let mut sorted = took.clone();
            sorted.sort_unstable();
            let at = |per_cent| percentile(&sorted, per_cent);
            Line { operation, count: sorted.len(), p50: at(50), p95: at(95), p99: at(99) }
        };
        all.iter().map(line).collect()
    }

    /// As a table.
    pub(super) fn table(&self) -> String {
        let mut text =
            format!("  {:<22}{:>9}{:>13}{:>13}{:>13}\n", "operation", "requests", "p50", "p95", "p99");
        for line in self.lines() {
            let [p50, p95, p99] = [line.p50, line.p95, line.p99].map(millis);
            let count = table::grouped(line.count);
            text += &format!("  {:<22}{count:>9}{p50:>13}{p95:>13}{p99:>13}\n", line.operation);
        }
        text
    }

    /// For programs; durations in microseconds.
    pub(super) fn json(&self) -> Value {
        let lines = self.lines().into_iter().map(|line| {
            let [p50, p95, p99] = [line.p50, line.p95, line.p99].map(|took| took.as_micros() as u64);
            json!({"operation": line.operation, "requests": line.count, "p50_us": p50, "p95_us": p95, "p99_us": p99})
        });
        lines.collect()
    }
}

fn millis(took: Duration) -> String {
    format!("{}.{} ms", took.as_millis(), took.subsec_micros() / 100 % 10)
}

/// The smallest of these durations that so many per cent of them do not exceed (nearest rank); zero of none.
fn percentile(sorted: &[Duration], per_cent: usize) -> Duration {
    let rank = (sorted.len() * per_cent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_duration_that_was_measured() {
        let hundred: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!([50, 95, 99, 100].map(|p| percentile(&hundred, p).as_millis()), [50, 95, 99, 100]);
        let three = &hundred[..3];
        assert_eq!([1, 33, 34, 50, 67, 99].map(|p| percentile(three, p).as_millis()), [1, 1, 2, 2, 3, 3]);
        assert_eq!(percentile(&hundred[..1], 50).as_millis(), 1);
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }

    #[test]
    fn the_table_fits_eighty_columns() {
        let latencies = Latencies::default();
        latencies.note("authenticate (page)", Duration::from_millis(123_456));
        latencies.note("create", Duration::from_micros(1_250));
        let table = latencies.table();
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        assert!(table.contains("1.2 ms"), "{table}");
    }
}
