//! The generated files of infra/: for each platform the data that its hand-written modules and charts take.

use std::path::Path;

use serde_json::Value;

use super::{caddy, grafana, helm, knative, metrics, terraform};
use crate::deployment::HostError;

/// A generated file.
pub(super) struct Generated {
    /// Where it lies under infra/.
    pub(super) path: &'static str,
    document: fn() -> Result<Value, HostError>,
}

/// All of them.
pub(super) const GENERATED: &[Generated] = &[
    Generated { path: "catalog/terraform.json", document: terraform::document },
    Generated { path: "knative/services/catalog.json", document: knative::public },
    Generated { path: "knative/eventing/catalog.json", document: knative::eventing },
    Generated { path: "knative/worker/catalog.json", document: knative::workers },
    // Helm reads only files inside the chart.
    Generated { path: "helm/florin/catalog.json", document: helm::document },
    Generated { path: "containers/caddy.json", document: caddy::document },
    Generated { path: "observability/metrics.json", document: metrics::document },
    Generated { path: "observability/grafana/requests.json", document: grafana::requests },
    Generated { path: "observability/grafana/queues.json", document: grafana::queues },
    Generated { path: "observability/grafana/effects.json", document: grafana::effects },
    Generated { path: "observability/grafana/process.json", document: grafana::process },
    Generated { path: "helm/florin/dashboards/requests.json", document: grafana::requests },
    Generated { path: "helm/florin/dashboards/queues.json", document: grafana::queues },
    Generated { path: "helm/florin/dashboards/effects.json", document: grafana::effects },
    Generated { path: "helm/florin/dashboards/process.json", document: grafana::process },
];

impl Generated {
    /// What the file must be.
    pub(super) fn text(&self) -> Result<String, HostError> {
        Ok(format!("{}\n", serde_json::to_string_pretty(&(self.document)()?)?))
    }
}

/// Writes all of them under this directory.
pub(super) fn write(infra: &Path) -> Result<(), HostError> {
    for file in GENERATED {
        let path = infra.join(file.path);
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(path, file.text()?)?;
    }
    Ok(())
}
