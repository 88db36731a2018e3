//! Exemplars: for each bucket of a time series the last value that was measured in it, and the trace it was measured in.
//!
//! That is the "aligned histogram bucket" reservoir of OpenTelemetry's metrics SDK with its `trace_based` filter, which the
//! SDK for Rust does not have, and what a bucket of `OpenMetrics` may show. Durations alone have them: nobody asks in which
//! trace a counter grew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use florin_kernel::metric;
use florin_kernel::time::{Clock, Timestamp};
use florin_kernel::trace::TraceParent;
use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use super::line;

/// A value that was measured within a sampled span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exemplar {
    /// In seconds.
    pub(super) value: f64,
    /// The span.
    pub(super) trace: TraceParent,
    /// When.
    pub(super) at: Timestamp,
}

/// The buckets of [`metric::SECONDS`], and the one above them.
const BUCKETS: usize = metric::SECONDS.len() + 1;

/// By bucket.
pub(super) type Buckets = [Option<Exemplar>; BUCKETS];

/// The bucket that a value is counted in: the first whose bound is not below it.
pub(super) fn bucket_of(value: f64) -> usize {
    metric::SECONDS.partition_point(|bound| *bound < value)
}

/// The durations that a process measures, with their exemplars.
pub(super) struct Exemplars {
    clock: Clock,
    series: RwLock<HashMap<Key, Arc<Series>>>,
}

/// One time series: who else is told what is measured, and the exemplars.
struct Series {
    clock: Clock,
    measured: Histogram,
    buckets: Mutex<Buckets>,
}

impl Exemplars {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, series: RwLock::default() }
    }

    /// What there is now of each series, bucket for bucket.
    pub(super) fn now(&self) -> Vec<(Key, Buckets)> {
        let all = self.series.read().unwrap_or_else(PoisonError::into_inner);
        let now = |series: &Series| *series.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(key, series)| (key.clone(), now(series))).collect()
    }

    /// A series; `measured` is asked for once. What others make for each measurement, the SDK its attributes foremost,
    /// costs more than all that is done here.
    fn series(&self, key: &Key, measured: impl FnOnce() -> Histogram) -> Arc<Series> {
        if let Some(known) = self.series.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Arc::clone(known);
        }
        let mut all = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let begun = || {
            Arc::new(Series { clock: self.clock.clone(), measured: measured(), buckets: Mutex::default() })
        };
        Arc::clone(all.entry(key.clone()).or_insert_with(begun))
    }
}

impl Default for Exemplars {
    fn default() -> Self {
        Self::new(Clock::System)
    }
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        self.measured.record(value);
        let Some(trace) = line::current_trace().filter(TraceParent::is_sampled) else { return };
        let exemplar = Exemplar { value, trace, at: self.clock.now() };
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)[bucket_of(value)] = Some(exemplar);
    }
}

/// Tells another recorder everything, and keeps an exemplar of what is measured within a sampled span.
pub(super) struct Exemplifying<R>(pub(super) R, pub(super) Arc<Exemplars>);

impl<R: Recorder> Recorder for Exemplifying<R> {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.0.register_counter(key, metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.0.register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.1.series(key, || self.0.register_histogram(key, metadata)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_at_a_bound_is_in_the_bucket_below_it() {
        assert_eq!(bucket_of(0.0), 0);
        assert_eq!(bucket_of(0.005), 0);
        assert_eq!(bucket_of(0.005_001), 1);
        assert_eq!(bucket_of(10.0), BUCKETS - 2);
        assert_eq!(bucket_of(10.1), BUCKETS - 1);
    }
}
