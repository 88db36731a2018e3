//! What a panel asks Prometheus: PromQL made from the kernel's metrics, so that nobody asks for one that there is not.
//!
//! `$__rate_interval`, `$__range` and the variables `$job` and `$service` are Grafana's to fill in.

use florin_kernel::metric::{self, Instrument, Metric};
use serde_json::{Value, json};

use crate::deployment::HostError;

/// A query with what its series are called.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// The metric it was made of; none where it was recorded by a rule or is Prometheus's own.
    pub(super) metric: Option<&'static str>,
    promql: Result<String, String>,
    legend: String,
    unit: &'static str,
    format: &'static str,
    counts: bool,
    /// Whether its buckets' exemplars are shown, each with the trace that it was measured in.
    exemplars: bool,
}

/// A panel of one query.
impl From<Query> for Vec<Query> {
    fn from(query: Query) -> Self {
        vec![query]
    }
}

/// Which series of a metric are meant: a label and how its value looks, such as `=~"5.."`.
pub(super) type Only = (&'static str, &'static str);

/// Requests that ended with a fault of ours.
pub(super) const FAULTY: &[Only] = &[("http.response.status_code", r#"=~"5..""#)];
/// What has an error.
pub(super) const FAILED: &[Only] = &[("error.type", r#"!="""#)];
/// Calls that failed, as FlorinPeerFails of rules.yml has it: a declined card and a charge that is not there are answers.
pub(super) const UNANSWERED: &[Only] =
    &[("error.type", r#"!="""#), ("http.response.status_code", r#"!~"402|404""#)];

impl Query {
    /// How often a second, by these attributes.
    pub(super) fn rate(metric: &Metric, by: &[&'static str]) -> Self {
        let name = counted(metric);
        let promql = matching(metric, by, &[])
            .map(|these| format!("{} (rate({name}{these}[$__rate_interval]))", sum(by)));
        Self::of(metric, promql, by, per_second(metric))
    }

    /// How often in the whole time that is shown.
    pub(super) fn total(metric: &Metric, by: &[&'static str]) -> Self {
        let name = counted(metric);
        let promql =
            matching(metric, by, &[]).map(|these| format!("{} (increase({name}{these}[$__range]))", sum(by)));
        Self { counts: true, ..Self::of(metric, promql, by, "short") }
    }

    /// The share of those that are `only`; 0 where there is none, and nothing where nothing happens at all.
    pub(super) fn share(metric: &Metric, only: &[Only], by: &[&'static str]) -> Self {
        let name = counted(metric);
        let promql = matching(metric, by, &[]).and_then(|all| {
            let some = matching(metric, by, only)?;
            let sum = sum(by);
            let all = format!("{sum} (rate({name}{all}[$__rate_interval]))");
            Ok(format!("({sum} (rate({name}{some}[$__rate_interval])) or 0 * {all}) / ({all} > 0)"))
        });
        Self::of(metric, promql, by, "percentunit")
    }

    /// What this share of the measured values does not exceed.
    pub(super) fn quantile(metric: &Metric, quantile: &str, by: &[&'static str]) -> Self {
        let name = metric.prometheus();
        let promql = matching(metric, by, &[]).map(|these| {
            let by: Vec<String> = by.iter().map(|one| label(one)).chain(["le".to_owned()]).collect();
            let by = by.join(", ");
            format!(
                "histogram_quantile({quantile}, sum by ({by}) (rate({name}_bucket{these}[$__rate_interval])))"
            )
        });
        Self { exemplars: true, ..Self::of(metric, promql, by, unit(metric)) }
    }

    /// How many values fell into each bucket.
    pub(super) fn buckets(metric: &Metric) -> Self {
        let name = metric.prometheus();
        let promql = matching(metric, &[], &[])
            .map(|these| format!("sum by (le) (increase({name}_bucket{these}[$__rate_interval]))"));
        let of = Self::of(metric, promql, &[], unit(metric));
        Self { format: "heatmap", legend: "{{le}}".to_owned(), exemplars: true, ..of }
    }

    /// What a gauge shows. Every process of a service sees the same database: the most of them is meant, no sum.
    pub(super) fn now(metric: &Metric, by: &[&'static str]) -> Self {
        let name = metric.prometheus();
        let promql =
            matching(metric, by, &[]).map(|these| format!("max by ({}) ({name}{these})", labels(by)));
        Self::of(metric, promql, by, unit(metric))
    }

    /// What each process has of its own, added up.
    pub(super) fn sum_now(metric: &Metric, by: &[&'static str]) -> Self {
        let name = metric.prometheus();
        let promql = matching(metric, by, &[]).map(|these| format!("{} ({name}{these})", sum(by)));
        Self::of(metric, promql, by, unit(metric))
    }

    /// PromQL over what a rule recorded, or what Prometheus says of its targets.
    pub(super) fn recorded(promql: &str, legend: &str, unit: &'static str) -> Self {
        Self {
            metric: None,
            promql: Ok(promql.to_owned()),
            legend: legend.to_owned(),
            unit,
            format: "time_series",
            counts: false,
            exemplars: false,
        }
    }

    /// With another name for its series.
    pub(super) fn called(self, legend: &str) -> Self {
        Self { legend: legend.to_owned(), ..self }
    }

    /// As a row of a table, at one instant.
    pub(super) fn in_a_table(self) -> Self {
        Self { format: "table", ..self }
    }

    /// The unit of its values, as Grafana calls it.
    pub(super) fn unit(&self) -> &'static str {
        self.unit
    }

    /// Whether no answer means that nothing happened: a counter begins with its first event. A gauge that is not
    /// there is something else.
    pub(super) fn counts(&self) -> bool {
        self.counts
    }

    /// As Grafana's target of this letter.
    pub(super) fn target(&self, letter: char) -> Result<Value, HostError> {
        let promql = self.promql.as_ref().map_err(|why| HostError(why.clone()))?;
        let instant = self.format == "table";
        let mut target = json!({
            "datasource": super::datasource(),
            "editorMode": "code",
            "expr": promql,
            "format": self.format,
            "instant": instant,
            "legendFormat": self.legend,
            "range": !instant,
            "refId": letter.to_string(),
        });
        if self.exemplars && !instant {
            target["exemplar"] = json!(true);
        }
        Ok(target)
    }

    fn of(metric: &Metric, promql: Result<String, String>, by: &[&str], unit: &'static str) -> Self {
        let legend: Vec<String> = by.iter().map(|one| format!("{{{{{}}}}}", label(one))).collect();
        let legend = if legend.is_empty() { metric.summary.to_owned() } else { legend.join(" ") };
        Self {
            metric: Some(metric.name),
            promql,
            legend,
            unit,
            format: "time_series",
            counts: false,
            exemplars: false,
        }
    }
}

/// The series of the chosen jobs and services; an error where the metric has no such attribute.
fn matching(metric: &Metric, by: &[&'static str], only: &[Only]) -> Result<String, String> {
    let named = by.iter().copied().chain(only.iter().map(|(label, _)| *label));
    for one in named {
        if !metric.attributes.contains(&one) {
            return Err(format!("{} has no attribute {one}", metric.name));
        }
    }
    let mut matchers = vec![r#"job=~"$job""#.to_owned()];
    if let Some((attribute, value)) = service(metric) {
        matchers.push(format!("{}=~\"{value}\"", label(attribute)));
    }
    matchers.extend(only.iter().map(|(attribute, value)| format!("{}{value}", label(attribute))));
    Ok(format!("{{{}}}", matchers.join(", ")))
}

/// The attribute that tells whose series it is, and what the chosen services look like in it.
fn service(metric: &Metric) -> Option<(&'static str, &'static str)> {
    let known = [
        (metric::SERVICE, "$service"),
        (metric::FUNCTION, "$service[.].+"),
        ("messaging.destination.name", "$service[.].+"),
        ("db.client.connection.pool.name", "$service"),
    ];
    known.into_iter().find(|(attribute, _)| metric.attributes.contains(attribute))
}

fn sum(by: &[&str]) -> String {
    if by.is_empty() { "sum".to_owned() } else { format!("sum by ({})", labels(by)) }
}

fn labels(by: &[&str]) -> String {
    by.iter().map(|one| label(one)).collect::<Vec<_>>().join(", ")
}

/// An attribute's name at `/metrics`.
fn label(attribute: &str) -> String {
    attribute.replace('.', "_")
}

/// The series whose rate is how often something happened.
fn counted(metric: &Metric) -> String {
    let name = metric.prometheus();
    if metric.instrument == Instrument::Histogram { format!("{name}_count") } else { name }
}

/// What Grafana calls the unit of a metric's values.
fn unit(metric: &Metric) -> &'static str {
    if metric.unit == "s" { "s" } else { "short" }
}

/// What Grafana calls that many a second.
fn per_second(metric: &Metric) -> &'static str {
    match (metric.unit, metric.name.starts_with("http.")) {
        (_, true) | ("{request}", _) => "reqps",
        ("{message}", _) => "mps",
        _ => "cps",
    }
}
