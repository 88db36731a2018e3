//! What draws a panel: the plugins of Grafana that are used, with the options they are used with.

use serde_json::{Value, json};

/// How a panel looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Lines over time.
    Lines,
    /// Lines over time that add up.
    Stacked,
    /// One number, with its history behind it.
    Number,
    /// How measured values are spread over time.
    Heatmap,
    /// A row for each set of labels.
    Table,
}

impl Kind {
    /// The plugin's name.
    pub(super) fn plugin(self) -> &'static str {
        match self {
            Self::Lines | Self::Stacked => "timeseries",
            Self::Number => "stat",
            Self::Heatmap => "heatmap",
            Self::Table => "table",
        }
    }

    /// Its options; `unit` is that of the values.
    pub(super) fn options(self, unit: &str) -> Value {
        match self {
            Self::Lines | Self::Stacked => json!({
                "legend": {
                    "calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom", "showLegend": true,
                },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
            Self::Number => json!({
                "colorMode": "value",
                "graphMode": "area",
                "justifyMode": "auto",
                "orientation": "auto",
                "percentChangeColorMode": "standard",
                "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
                "showPercentChange": false,
                "textMode": "auto",
                "wideLayout": true,
            }),
            Self::Heatmap => json!({
                "calculate": false,
                "cellGap": 1,
                "color": {
                    "exponent": 0.5, "fill": "dark-orange", "mode": "scheme", "reverse": false,
                    "scale": "exponential", "scheme": "Oranges", "steps": 64,
                },
                "exemplars": { "color": "rgba(255,0,255,0.7)" },
                "filterValues": { "le": 1e-9 },
                "legend": { "show": true },
                "rowsFrame": { "layout": "auto" },
                "showValue": "never",
                "tooltip": { "mode": "single", "showColorScale": false, "yHistogram": false },
                "yAxis": { "axisPlacement": "left", "reverse": false, "unit": unit },
            }),
            Self::Table => json!({ "cellHeight": "sm", "frameIndex": 0, "showHeader": true }),
        }
    }
}
