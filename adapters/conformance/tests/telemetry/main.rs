//! What processes tell of themselves: one trace from the request to the audit record, metrics, and logs.

mod away;
mod lambda;
mod log;
mod metrics;
mod one_trace;
mod openmetrics;

use florin_conformance::collector::Collector;
use florin_conformance::site::Site;

/// Tells every process of the site to send to a collector of the test's own.
async fn collected(site: &mut Site) -> Collector {
    let collector = Collector::start().await;
    for (name, value) in collector.environment() {
        site.set(name, value);
    }
    collector
}
