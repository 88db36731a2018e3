//! Adds the exemplars to the metrics on their way to the collector.
//!
//! The SDK for Rust has a field for them that nothing fills and nobody else can: there is no reservoir in it, and its
//! data points are its own. So they are added to the request that its exporter has built, once an export, on the
//! exporter's own thread.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use florin_kernel::trace::TraceParent;
use metrics::Key;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, HistogramDataPoint, exemplar};
use prost::Message;

use super::collector::Collector;
use crate::telemetry::exemplars::{self, Exemplars};

/// The client of the exporter of metrics: what it is given goes to the collector with exemplars.
pub(super) struct Exemplary {
    collector: Collector,
    exemplars: Arc<Exemplars>,
}

impl Exemplary {
    pub(super) fn new(collector: Collector, exemplars: Arc<Exemplars>) -> Self {
        Self { collector, exemplars }
    }
}

impl fmt::Debug for Exemplary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exemplary")
    }
}

impl HttpClient for Exemplary {
    fn send_bytes<'life, 'future>(
        &'life self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'future>>
    where
        'life: 'future,
        Self: 'future,
    {
        self.collector.send_bytes(request.map(|body| with(body, &self.exemplars)))
    }
}

/// The same request with exemplars; one that cannot be read stays as it is, for a metric is worth more than its exemplar.
fn with(body: Bytes, exemplars: &Exemplars) -> Bytes {
    let Ok(mut request) = ExportMetricsServiceRequest::decode(body.clone()) else { return body };
    let now = exemplars.now();
    let of: HashMap<_, _> = now.iter().map(|(key, buckets)| ((key.name(), labels(key)), buckets)).collect();
    let scopes = request.resource_metrics.iter_mut().flat_map(|resource| &mut resource.scope_metrics);
    for metric in scopes.flat_map(|scope| &mut scope.metrics) {
        let Some(Data::Histogram(histogram)) = &mut metric.data else { continue };
        for point in &mut histogram.data_points {
            let Some(buckets) = of.get(&(metric.name.as_str(), attributes(&point.attributes))) else {
                continue;
            };
            let measured = buckets.iter().flatten().filter(|one| is_of(one, point));
            point.exemplars = measured.filter_map(encoded).collect();
        }
    }
    request.encode_to_vec().into()
}

/// Whether it was measured in the time of this point: what a function counted since it last sent has no older one.
fn is_of(one: &exemplars::Exemplar, point: &HistogramDataPoint) -> bool {
    let at = u64::try_from(one.at.as_micros()).unwrap_or(0);
    (point.start_time_unix_nano / 1_000..=point.time_unix_nano / 1_000).contains(&at)
}

fn encoded(one: &exemplars::Exemplar) -> Option<Exemplar> {
    let bytes = |of: fn(&TraceParent) -> &str| hex::decode(of(&one.trace)).ok();
    Some(Exemplar {
        filtered_attributes: Vec::new(),
        time_unix_nano: u64::try_from(one.at.as_micros()).ok()? * 1_000,
        span_id: bytes(TraceParent::span_id)?,
        trace_id: bytes(TraceParent::trace_id)?,
        value: Some(exemplar::Value::AsDouble(one.value)),
    })
}

/// As the attributes of a point: without the empty ones, which do not apply.
fn labels(key: &Key) -> Vec<(&str, &str)> {
    let said = key.labels().filter(|label| !label.value().is_empty());
    sorted(said.map(|label| (label.key(), label.value())).collect())
}

fn attributes(of: &[KeyValue]) -> Vec<(&str, &str)> {
    let texts = of.iter().filter_map(|one| match one.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some((one.key.as_str(), text.as_str())),
        _ => None,
    });
    sorted(texts.collect())
}

fn sorted<'a>(mut pairs: Vec<(&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_sent_as_it_was() {
        let body = Bytes::from_static(b"\x1f\x8b no protobuf");
        assert_eq!(with(body.clone(), &Exemplars::default()), body);
    }
}
