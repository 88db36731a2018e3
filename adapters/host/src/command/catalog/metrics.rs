//! The metrics, for dashboards and alerts: one list, the kernel's.

use florin_kernel::metric::{Instrument, METRICS, SECONDS};
use serde_json::{Value, json};

use crate::deployment::HostError;

/// Every metric by its name here and at `/metrics`.
pub(super) fn document() -> Result<Value, HostError> {
    let metrics = METRICS.iter().map(|metric| {
        let mut said = serde_json::to_value(metric)?;
        said["prometheus"] = json!(metric.prometheus());
        if metric.instrument == Instrument::Histogram {
            said["buckets"] = json!(SECONDS);
        }
        Ok(said)
    });
    Ok(json!({ "metrics": metrics.collect::<Result<Vec<_>, serde_json::Error>>()? }))
}
