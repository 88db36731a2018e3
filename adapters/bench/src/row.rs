//! A row of the table: one budget, what we measured, what its baseline measured in the same rounds.

use std::time::Duration;

use serde::Serialize;

use crate::latencies::Latencies;
use crate::load::Loaded;

/// What a row must keep.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// This share of the baseline's rate, or more.
    AtLeast(f64),
    /// This multiple of the baseline's time, or less.
    AtMost(f64),
    /// Less than this, in the row's unit.
    Below(f64),
}

/// One round of one side.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// The row's value: a rate or a time.
    pub value: f64,
    /// What each thing took, where they were timed one by one.
    pub latencies: Latencies,
    /// What the process under test spent on each thing, in microseconds of CPU.
    pub cpu_us: Option<f64>,
    /// How busy the load generator's one thread was: near 1 it measures itself.
    pub load_busy: Option<f64>,
}

impl Round {
    /// A round of load, and what it cost the process that was under it.
    pub fn loaded(loaded: Loaded, cpu: Duration) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let count = loaded.latencies.count().max(1) as f64;
        Self {
            value: loaded.rate(),
            cpu_us: Some(cpu.as_secs_f64() * 1e6 / count),
            load_busy: Some(loaded.busy),
            latencies: loaded.latencies,
        }
    }
}

/// A value over the rounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    /// Half of the rounds had less.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of these rounds; there is at least one.
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let middle = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { at(middle) } else { (at(middle.wrapping_sub(1)) + at(middle)) / 2.0 };
        Self { median, min: at(0), max: at(sorted.len().wrapping_sub(1)) }
    }
}

/// What one side showed in all rounds.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// The row's value.
    pub value: Spread,
    /// The same, round by round.
    pub rounds: Vec<f64>,
    /// What half of the things took at most, in microseconds.
    pub p50_us: Option<f64>,
    /// What all but one of a hundred took at most, in microseconds.
    pub p99_us: Option<f64>,
    /// Microseconds of CPU that the process under test spent on each.
    pub cpu_us: Option<f64>,
    /// How busy the load generator was, at most.
    pub load_busy: Option<f64>,
}

impl Side {
    fn of(rounds: &[Round]) -> Self {
        let mut latencies = Latencies::default();
        rounds.iter().for_each(|round| latencies.extend(&round.latencies));
        let values: Vec<f64> = rounds.iter().map(|round| round.value).collect();
        let cpu: Vec<f64> = rounds.iter().filter_map(|round| round.cpu_us).collect();
        Self {
            value: Spread::of(&values),
            rounds: values,
            p50_us: latencies.percentile_us(50.0),
            p99_us: latencies.percentile_us(99.0),
            cpu_us: (!cpu.is_empty()).then(|| Spread::of(&cpu).median),
            load_busy: rounds.iter().filter_map(|round| round.load_busy).reduce(f64::max),
        }
    }
}

/// One budget and how it was kept.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its short name, as `--rows` takes it.
    pub row: &'static str,
    /// What was measured.
    pub what: String,
    /// What it stands beside.
    pub against: Option<String>,
    /// What it must keep; none for a row that only explains another.
    pub budget: Option<Budget>,
    /// What the values are.
    pub unit: &'static str,
    /// Our side.
    pub ours: Side,
    /// The baseline.
    pub baseline: Option<Side>,
    /// Ours divided by the baseline's, of the two that ran one after the other.
    pub ratio: Option<Spread>,
    /// Whether the budget was kept, by the median.
    pub kept: Option<bool>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

impl Row {
    /// A row beside its baseline; the rounds of both sides took turns.
    pub fn compared(
        (row, unit): (&'static str, &'static str),
        (what, against): (impl Into<String>, impl Into<String>),
        budget: Option<Budget>,
        ours: &[Round],
        baseline: &[Round],
    ) -> Self {
        let ratios: Vec<f64> = ours.iter().zip(baseline).map(|(a, b)| a.value / b.value).collect();
        let ratio = Spread::of(&ratios);
        let (ours, baseline) = (Side::of(ours), Side::of(baseline));
        let kept = budget.map(|budget| match budget {
            Budget::AtLeast(share) => ratio.median >= share,
            Budget::AtMost(multiple) => ratio.median <= multiple,
            Budget::Below(limit) => ours.value.median < limit,
        });
        Self {
            row,
            what: what.into(),
            against: Some(against.into()),
            budget,
            unit,
            ours,
            baseline: Some(baseline),
            ratio: Some(ratio),
            kept,
            notes: Vec::new(),
        }
    }

    /// A row with a limit of its own and nothing beside it.
    pub fn alone(
        (row, unit): (&'static str, &'static str),
        what: impl Into<String>,
        limit: Option<f64>,
        ours: &[Round],
    ) -> Self {
        let ours = Side::of(ours);
        Self {
            row,
            what: what.into(),
            against: None,
            budget: limit.map(Budget::Below),
            unit,
            kept: limit.map(|limit| ours.value.median < limit),
            ours,
            baseline: None,
            ratio: None,
            notes: Vec::new(),
        }
    }

    /// Adds what a reader must know.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(values: &[f64]) -> Vec<Round> {
        values.iter().map(|&value| Round { value, ..Round::default() }).collect()
    }

    #[test]
    fn a_ratio_is_of_two_rounds_that_ran_one_after_the_other() {
        let (ours, baseline) = (rounds(&[50.0, 90.0, 40.0]), rounds(&[100.0, 100.0, 50.0]));
        let row = Row::compared(("a", "1/s"), ("b", "c"), Some(Budget::AtLeast(0.8)), &ours, &baseline);
        let ratio = row.ratio.unwrap();
        assert_eq!((ratio.median, ratio.min, ratio.max), (0.8, 0.5, 0.9));
        assert_eq!(row.kept, Some(true));
    }

    #[test]
    fn a_budget_of_time_is_kept_from_below() {
        let (ours, baseline) = (rounds(&[16.0]), rounds(&[10.0]));
        let row = Row::compared(("a", "ms"), ("b", "c"), Some(Budget::AtMost(1.5)), &ours, &baseline);
        assert_eq!(row.kept, Some(false));
        assert_eq!(Row::alone(("a", "MB"), "b", Some(40.0), &ours).kept, Some(true));
    }
}
