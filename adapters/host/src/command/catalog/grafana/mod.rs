//! Grafana dashboards, made from the kernel's list of metrics.

mod effects;
mod panel;
mod plugin;
mod process;
mod query;
mod queues;
mod requests;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::deployment::HostError;
use panel::{Panel, Row};

/// The version of the classic format that Grafana 12 writes; later ones read it.
const SCHEMA: u64 = 41;

/// All of them, each by the last word of its address.
pub(super) fn document() -> Result<Value, HostError> {
    Ok(json!({
        "requests": requests()?,
        "queues": queues()?,
        "effects": effects()?,
        "process": process()?,
    }))
}

/// Rate, errors and duration of requests, and the error budget.
pub(super) fn requests() -> Result<Value, HostError> {
    dashboard("requests", "Florin: requests", &requests::rows())
}

/// What waits between services.
pub(super) fn queues() -> Result<Value, HostError> {
    dashboard("queues", "Florin: queues and outbox", &queues::rows())
}

/// Calls to peers.
pub(super) fn effects() -> Result<Value, HostError> {
    dashboard("effects", "Florin: effects and peers", &effects::rows())
}

/// The processes, their databases, and what no other dashboard shows.
pub(super) fn process() -> Result<Value, HostError> {
    let mut rows = process::rows();
    let elsewhere = [requests::rows(), queues::rows(), effects::rows()];
    let panels = elsewhere.iter().flatten().chain(&rows).flat_map(|row| &row.panels);
    let shown: BTreeSet<&'static str> = panels.flat_map(Panel::metrics).collect();
    rows.extend(process::others(&shown));
    dashboard("process", "Florin: processes", &rows)
}

fn dashboard(name: &str, title: &str, rows: &[Row]) -> Result<Value, HostError> {
    Ok(json!({
        "uid": format!("florin-{name}"),
        "title": title,
        "description": format!("Written by `{}` from the list of metrics: changes here are lost.", super::GENERATED_BY),
        "tags": ["florin"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "30s",
        "time": { "from": "now-6h", "to": "now" },
        "timepicker": {},
        "fiscalYearStartMonth": 0,
        "liveNow": false,
        "weekStart": "",
        "annotations": { "list": [alerts()] },
        "links": [{
            "type": "dashboards", "title": "Florin", "tags": ["florin"], "icon": "external link", "tooltip": "", "url": "",
            "asDropdown": false, "includeVars": true, "keepTime": true, "targetBlank": false,
        }],
        "templating": { "list": [
            { "type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus", "refresh": 1,
              "regex": "", "hide": 0, "multi": false, "includeAll": false },
            // Every process that serves a service shows its outbox, whatever else it does.
            variable("job", "Job", "florin_outbox_depth", "job"),
            variable("service", "Service", r#"florin_outbox_depth{job=~"$job"}"#, "florin_service"),
        ] },
        "panels": panel::placed(rows)?,
    }))
}

/// The data source that a person chooses.
fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// The values of a label; all of them until somebody chooses.
fn variable(name: &str, label: &str, series: &str, of: &str) -> Value {
    let query = format!("label_values({series},{of})");
    json!({
        "type": "query",
        "name": name,
        "label": label,
        "datasource": datasource(),
        "definition": query,
        "query": { "qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery" },
        "refresh": 2,
        "sort": 1,
        "regex": "",
        "hide": 0,
        "multi": true,
        "includeAll": true,
        "allValue": ".*",
        "current": { "text": ["All"], "value": ["$__all"] },
    })
}

/// The alerts of rules.yml, drawn into every panel while they fire.
fn alerts() -> Value {
    json!({
        "name": "Alerts",
        "datasource": datasource(),
        "enable": true,
        "hide": false,
        "iconColor": "red",
        "target": {
            "refId": "Alerts",
            "expr": r#"ALERTS{alertname=~"Florin.+", alertstate="firing"}"#,
            "interval": "60s",
        },
        "titleFormat": "{{alertname}}",
        "textFormat": "{{florin_service}} {{florin_function}}",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use florin_kernel::metric::{DELIVERIES, METRICS};

    fn said(dashboard: &Value) -> String {
        dashboard.to_string()
    }

    #[test]
    fn every_metric_of_the_list_stands_on_a_dashboard() {
        let all = said(&document().unwrap());
        for metric in METRICS {
            assert!(all.contains(&metric.prometheus()), "{}", metric.name);
        }
    }

    #[test]
    fn a_metric_that_no_panel_shows_gets_one_of_its_own() {
        let shown: BTreeSet<&str> =
            METRICS.iter().map(|metric| metric.name).filter(|name| *name != DELIVERIES.name).collect();
        let row = process::others(&shown).unwrap();
        assert_eq!(row.panels.iter().flat_map(Panel::metrics).collect::<Vec<_>>(), [DELIVERIES.name]);
        assert!(process::others(&METRICS.iter().map(|metric| metric.name).collect()).is_none());
    }

    #[test]
    fn a_label_that_a_metric_does_not_have_is_refused() {
        let wrong = Panel::lines("wrong", query::Query::rate(&DELIVERIES, &["http.route"]));
        let refused = panel::placed(&[Row { title: "row", panels: vec![wrong] }]).unwrap_err();
        assert_eq!(refused.to_string(), "florin.deliveries has no attribute http.route");
    }

    #[test]
    fn panels_have_numbers_of_their_own_and_lie_beside_each_other() {
        for dashboard in document().unwrap().as_object().unwrap().values() {
            let panels = dashboard["panels"].as_array().unwrap();
            let mut taken = BTreeSet::new();
            for (index, panel) in panels.iter().enumerate() {
                assert_eq!(panel["id"], json!(index + 1));
                let at = |name: &str| panel["gridPos"][name].as_u64().unwrap();
                assert!(at("x") + at("w") <= 24, "{panel}");
                for (x, y) in (at("x")..at("x") + at("w"))
                    .flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
                {
                    assert!(taken.insert((x, y)), "{} lies on another", panel["title"]);
                }
            }
        }
    }
}
