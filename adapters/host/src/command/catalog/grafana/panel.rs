//! Panels in Grafana's own words (schema 41, Grafana 12), with units and thresholds.

use serde_json::{Map, Value, json};

use super::plugin::Kind;
use super::query::Query;
use crate::deployment::HostError;

/// How wide a dashboard is, in Grafana's units.
const WIDTH: u64 = 24;

/// One panel.
pub(super) struct Panel {
    kind: Kind,
    title: &'static str,
    says: String,
    width: u64,
    thresholds: &'static [(f64, &'static str)],
    queries: Vec<Query>,
    columns: Vec<&'static str>,
}

impl Panel {
    /// Lines over time.
    pub(super) fn lines(title: &'static str, queries: impl Into<Vec<Query>>) -> Self {
        Self::of(Kind::Lines, title, 12, queries.into())
    }

    /// Lines over time that add up.
    pub(super) fn stacked(title: &'static str, queries: impl Into<Vec<Query>>) -> Self {
        Self::of(Kind::Stacked, title, 12, queries.into())
    }

    /// One number, with its history behind it.
    pub(super) fn number(title: &'static str, query: Query) -> Self {
        Self::of(Kind::Number, title, 6, vec![query])
    }

    /// How measured values are spread over time.
    pub(super) fn heatmap(title: &'static str, query: Query) -> Self {
        Self::of(Kind::Heatmap, title, 12, vec![query])
    }

    /// A row for each set of labels, a column for each query.
    pub(super) fn table(title: &'static str, columns: &[(&'static str, Query)]) -> Self {
        let queries = columns.iter().map(|(_, query)| query.clone().in_a_table()).collect();
        let columns = columns.iter().map(|(name, _)| *name).collect();
        Self { columns, ..Self::of(Kind::Table, title, WIDTH, queries) }
    }

    /// With what a person should know of it.
    pub(super) fn says(self, says: &str) -> Self {
        Self { says: says.to_owned(), ..self }
    }

    /// From these values on it is of these colours; below the first it is green.
    pub(super) fn thresholds(self, thresholds: &'static [(f64, &'static str)]) -> Self {
        Self { thresholds, ..self }
    }

    /// The metrics it shows.
    pub(super) fn metrics(&self) -> impl Iterator<Item = &'static str> {
        self.queries.iter().filter_map(|query| query.metric)
    }

    fn of(kind: Kind, title: &'static str, width: u64, queries: Vec<Query>) -> Self {
        Self { kind, title, says: String::new(), width, thresholds: &[], queries, columns: Vec::new() }
    }

    fn height(&self) -> u64 {
        if self.kind == Kind::Number { 4 } else { 8 }
    }

    fn json(&self, id: u64, x: u64, y: u64) -> Result<Value, HostError> {
        let targets = ('A'..='Z').zip(&self.queries).map(|(letter, query)| query.target(letter));
        let mut panel = json!({
            "id": id,
            "title": self.title,
            "type": self.kind.plugin(),
            "datasource": super::datasource(),
            "gridPos": { "h": self.height(), "w": self.width, "x": x, "y": y },
            "targets": targets.collect::<Result<Vec<_>, _>>()?,
            "fieldConfig": self.fields(),
            "options": self.kind.options(self.queries.first().map_or("short", Query::unit)),
        });
        if !self.says.is_empty() {
            panel["description"] = json!(self.says);
        }
        if self.kind == Kind::Table {
            panel["transformations"] = self.columns();
        }
        Ok(panel)
    }

    fn fields(&self) -> Value {
        let steps = [(Value::Null, "green")]
            .into_iter()
            .chain(self.thresholds.iter().map(|(from, colour)| (json!(from), *colour)))
            .map(|(value, colour)| json!({ "color": colour, "value": value }));
        let unit = self.queries.first().map_or("short", Query::unit);
        let lines = matches!(self.kind, Kind::Lines | Kind::Stacked);
        let by = if lines { "palette-classic" } else { "thresholds" };
        let mut defaults = json!({
            "color": { "mode": by },
            "unit": unit,
            "thresholds": { "mode": "absolute", "steps": steps.collect::<Vec<_>>() },
        });
        if self.kind == Kind::Number && self.queries.iter().all(Query::counts) {
            defaults["noValue"] = json!("0");
        }
        if lines {
            let shown = if self.thresholds.is_empty() { "off" } else { "dashed" };
            let stacked = self.kind == Kind::Stacked;
            defaults["min"] = json!(0);
            defaults["custom"] = json!({
                "drawStyle": "line",
                "lineWidth": 1,
                "fillOpacity": if stacked { 30 } else { 8 },
                "showPoints": "never",
                "spanNulls": false,
                "stacking": { "mode": if stacked { "normal" } else { "none" }, "group": "A" },
                "thresholdsStyle": { "mode": shown },
            });
        }
        let overrides: Vec<Value> = self
            .columns
            .iter()
            .zip(&self.queries)
            .map(|(name, query)| {
                json!({
                    "matcher": { "id": "byName", "options": name },
                    "properties": [{ "id": "unit", "value": query.unit() }],
                })
            })
            .collect();
        json!({ "defaults": defaults, "overrides": overrides })
    }

    /// One row for what Prometheus answers query by query.
    fn columns(&self) -> Value {
        let names =
            ('A'..='Z').zip(&self.columns).map(|(letter, name)| (format!("Value #{letter}"), json!(name)));
        json!([
            { "id": "merge", "options": {} },
            { "id": "organize", "options": {
                "excludeByName": { "Time": true },
                "renameByName": names.collect::<Map<_, _>>(),
            } },
        ])
    }
}

/// A heading with what stands under it.
pub(super) struct Row {
    /// The heading.
    pub(super) title: &'static str,
    /// From left to right; what does not fit begins a new line.
    pub(super) panels: Vec<Panel>,
}

/// The rows, each panel at its place.
pub(super) fn placed(rows: &[Row]) -> Result<Vec<Value>, HostError> {
    let mut placed = Vec::new();
    let mut y = 0;
    for row in rows {
        placed.push(json!({
            "id": placed.len() + 1,
            "title": row.title,
            "type": "row",
            "collapsed": false,
            "gridPos": { "h": 1, "w": WIDTH, "x": 0, "y": y },
            "panels": [],
        }));
        y += 1;
        let (mut x, mut line) = (0, 0);
        for panel in &row.panels {
            if x + panel.width > WIDTH {
                (x, y, line) = (0, y + line, 0);
            }
            placed.push(panel.json(placed.len() as u64 + 1, x, y)?);
            x += panel.width;
            line = line.max(panel.height());
        }
        y += line;
    }
    Ok(placed)
}
