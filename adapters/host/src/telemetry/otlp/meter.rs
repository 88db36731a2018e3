//! What is counted, as OpenTelemetry's instruments: a recorder behind the one that `/metrics` reads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use florin_kernel::metric::{self, Instrument, METRICS};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use opentelemetry::KeyValue;
use opentelemetry::metrics as otel;

/// Instruments for every metric of the kernel's list; what is not in it is not exported.
pub(super) struct Meters {
    counters: HashMap<&'static str, otel::Counter<u64>>,
    gauges: HashMap<&'static str, otel::Gauge<f64>>,
    histograms: HashMap<&'static str, otel::Histogram<f64>>,
}

impl Meters {
    pub(super) fn new(meter: &otel::Meter) -> Self {
        let (mut counters, mut gauges, mut histograms) = (HashMap::new(), HashMap::new(), HashMap::new());
        for one in METRICS {
            match one.instrument {
                Instrument::Counter => {
                    let made = meter.u64_counter(one.name).with_unit(one.unit).with_description(one.summary);
                    counters.insert(one.name, made.build());
                }
                Instrument::Gauge => {
                    let made = meter.f64_gauge(one.name).with_unit(one.unit).with_description(one.summary);
                    gauges.insert(one.name, made.build());
                }
                Instrument::Histogram => {
                    let made =
                        meter.f64_histogram(one.name).with_unit(one.unit).with_description(one.summary);
                    histograms.insert(one.name, made.with_boundaries(metric::SECONDS.to_vec()).build());
                }
            }
        }
        Self { counters, gauges, histograms }
    }
}

/// An empty label is one that does not apply.
fn attributes(key: &Key) -> Vec<KeyValue> {
    let said = key.labels().filter(|label| !label.value().is_empty());
    said.map(|label| KeyValue::new(label.key().to_owned(), label.value().to_owned())).collect()
}

impl Recorder for Meters {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.counters.get(key.name()).map_or_else(Counter::noop, |counter| {
            Counter::from_arc(Arc::new(Counting(counter.clone(), attributes(key))))
        })
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.gauges.get(key.name()).map_or_else(Gauge::noop, |gauge| {
            Gauge::from_arc(Arc::new(Gauging(gauge.clone(), attributes(key), Mutex::new(0.0))))
        })
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.histograms.get(key.name()).map_or_else(Histogram::noop, |histogram| {
            Histogram::from_arc(Arc::new(Measuring(histogram.clone(), attributes(key))))
        })
    }
}

struct Counting(otel::Counter<u64>, Vec<KeyValue>);

impl CounterFn for Counting {
    fn increment(&self, value: u64) {
        self.0.add(value, &self.1);
    }

    /// OpenTelemetry's counters have no way to say what they should be; nothing of ours does.
    fn absolute(&self, _: u64) {}
}

struct Gauging(otel::Gauge<f64>, Vec<KeyValue>, Mutex<f64>);

impl Gauging {
    fn change(&self, next: impl FnOnce(f64) -> f64) {
        let mut value = self.2.lock().unwrap_or_else(PoisonError::into_inner);
        *value = next(*value);
        self.0.record(*value, &self.1);
    }
}

impl GaugeFn for Gauging {
    fn increment(&self, value: f64) {
        self.change(|before| before + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|before| before - value);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

struct Measuring(otel::Histogram<f64>, Vec<KeyValue>);

impl HistogramFn for Measuring {
    fn record(&self, value: f64) {
        self.0.record(value, &self.1);
    }
}
