//! What `/metrics` shows: Prometheus' text format 0.0.4, or `OpenMetrics` 1.0 with exemplars for whoever asks for it.
//!
//! The exporter writes the text format alone. The other differs in five things: a counter's family has no `_total`, a
//! whole bound of a bucket is written as a float, no line is empty, the end is said, and a bucket shows its exemplar.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use florin_kernel::metric::METRICS;
use metrics::Key;
use metrics_exporter_prometheus::PrometheusHandle;
use metrics_exporter_prometheus::formatting::{sanitize_label_key, sanitize_label_value};

use super::exemplars::{Buckets, Exemplar, Exemplars, bucket_of};

/// Prometheus refuses what says no version.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is counted, for whoever reads it.
#[derive(Clone)]
pub struct Readable {
    handle: PrometheusHandle,
    exemplars: Arc<Exemplars>,
}

impl Readable {
    pub(super) fn new(handle: PrometheusHandle, exemplars: Arc<Exemplars>) -> Self {
        Self { handle, exemplars }
    }

    /// Its media type and text, as the `Accept` of a scraper wants it.
    pub fn render(&self, accept: &str) -> (&'static str, String) {
        if !prefers_openmetrics(accept) {
            return (TEXT, self.handle.render());
        }
        // In this order: a value is counted first, so that no bucket has an exemplar of what it has not counted.
        let exemplars = by_series(self.exemplars.now());
        (OPENMETRICS, openmetrics(&self.handle.render(), &exemplars))
    }

    pub(super) fn fold(&self) {
        self.handle.run_upkeep();
    }
}

/// Whether `OpenMetrics` 1.0 is asked for and no worse than the text format (RFC 9110, 12.5.1). Prometheus asks for it
/// first unless its `scrape_protocols` say otherwise; what takes anything gets the text.
fn prefers_openmetrics(accept: &str) -> bool {
    let (mut open, mut text) = (0.0_f32, 0.0_f32);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let parameters: Vec<(&str, &str)> = parts.filter_map(|one| one.split_once('=')).collect();
        let said = |name| parameters.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
        let quality = said("q").and_then(|q| q.parse().ok()).unwrap_or(1.0);
        match (kind, said("version")) {
            ("application/openmetrics-text", None | Some("1.0.0")) => open = open.max(quality),
            ("text/plain", None | Some("0.0.4")) => text = text.max(quality),
            _ => {}
        }
    }
    open > 0.0 && open >= text
}

/// Under how the lines of its buckets begin, up to the bound.
fn by_series(exemplars: Vec<(Key, Buckets)>) -> HashMap<String, Buckets> {
    exemplars.into_iter().filter_map(|(key, buckets)| Some((series(&key)?, buckets))).collect()
}

fn series(key: &Key) -> Option<String> {
    let metric = METRICS.iter().find(|metric| metric.name == key.name())?;
    let mut text = format!("{}_bucket{{", metric.prometheus());
    for label in key.labels() {
        let (name, value) = (sanitize_label_key(label.key()), sanitize_label_value(label.value()));
        let _ = write!(text, "{name}=\"{value}\",");
    }
    Some(text)
}

fn openmetrics(text: &str, exemplars: &HashMap<String, Buckets>) -> String {
    let mut open = String::with_capacity(text.len() * 2);
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(said) = line.strip_prefix("# ") {
            put_metadata(&mut open, said);
        } else if put_bucket(&mut open, line, exemplars).is_none() {
            open.push_str(line);
        }
        open.push('\n');
    }
    open.push_str("# EOF\n");
    open
}

/// `HELP` or `TYPE`, a name and what is said of it.
fn put_metadata(open: &mut String, said: &str) {
    let mut words = said.splitn(3, ' ');
    let [what, name, rest] = [(); 3].map(|()| words.next().unwrap_or_default());
    // No other metric of the list ends so.
    let family = name.strip_suffix("_total").unwrap_or(name);
    let _ = write!(open, "# {what} {family} {rest}");
}

/// The line of a bucket; none when it is of anything else.
fn put_bucket(open: &mut String, line: &str, exemplars: &HashMap<String, Buckets>) -> Option<()> {
    let (series, rest) = line.rsplit_once("le=\"")?;
    let (bound, count) = rest.split_once("\"} ")?;
    if !series.split('{').next()?.ends_with("_bucket") {
        return None;
    }
    let value: f64 = bound.parse().ok()?;
    let whole = if value.is_finite() && !bound.contains('.') { ".0" } else { "" };
    let _ = write!(open, "{series}le=\"{bound}{whole}\"}} {count}");
    if let Some(Exemplar { value, trace, at }) =
        exemplars.get(series).and_then(|buckets| buckets[bucket_of(value)])
    {
        let (trace_id, span_id) = (trace.trace_id(), trace.span_id());
        let (seconds, micros) = (at.as_micros().div_euclid(1_000_000), at.as_micros().rem_euclid(1_000_000));
        let _ = write!(
            open,
            " # {{trace_id=\"{trace_id}\",span_id=\"{span_id}\"}} {value} {seconds}.{micros:06}"
        );
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_whoever_asks_for_it_and_rather_than_the_text() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let text_first =
            "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.2";
        for (accept, wanted) in [
            (prometheus, true),
            ("application/openmetrics-text", true),
            (text_first, false),
            ("application/openmetrics-text; version=2.0.0", false),
            ("application/openmetrics-text;q=0", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(prefers_openmetrics(accept), wanted, "{accept}");
        }
    }

    #[test]
    fn a_label_that_ends_like_a_bound_is_none() {
        let text = "# TYPE florin_faults_total counter\nflorin_faults_total{role=\"1\"} 3\n\n";
        let open = "# TYPE florin_faults counter\nflorin_faults_total{role=\"1\"} 3\n# EOF\n";
        assert_eq!(openmetrics(text, &HashMap::new()), open);
    }
}
