//! `florin catalog`: what the code declares, and whether what is deployed is that.

mod caddy;
mod generated;
mod grafana;
mod helm;
mod knative;
mod kubernetes;
mod metrics;
mod schedule;
mod settings;
mod terraform;
mod verify;

use axum::Router;
use clap::{Args, Subcommand, ValueEnum};
use florin_http::app::App;
use florin_kernel::catalog;
use florin_kernel::service::Definition;

use crate::deployment::HostError;
use crate::services::SERVICES;

/// What every generated file says of itself.
const GENERATED_BY: &str = "florin catalog verify --write";

/// Prints what the code declares.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Catalog {
    #[command(subcommand)]
    task: Option<Task>,
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Write the schemas of the events and the AsyncAPI document into this directory instead.
    #[arg(long, value_name = "DIRECTORY")]
    write: Option<std::path::PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Florin's own: functions, doors, scopes, subscriptions, schedules, effects.
    Json,
    /// OpenAPI 3.1.
    Openapi,
    /// AsyncAPI 3.0.
    Asyncapi,
    /// What infra/terraform takes.
    Terraform,
    /// What infra/knative takes.
    Knative,
    /// What infra/helm takes.
    Helm,
    /// Every metric, by its OpenTelemetry name and by its name at /metrics.
    Metrics,
    /// The dashboards of infra/observability/grafana, by name.
    Grafana,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Compare infra/ with the code; fails with the lines to mend.
    Verify(verify::Verify),
}

impl Catalog {
    pub(super) fn run(self) -> Result<(), HostError> {
        if let Some(Task::Verify(verify)) = self.task {
            return verify.run();
        }
        if let Some(directory) = self.write {
            std::fs::create_dir_all(&directory)?;
            for (name, text) in catalog::event_files(SERVICES) {
                std::fs::write(directory.join(name), text)?;
            }
            return Ok(());
        }
        let document = match self.format {
            Format::Json => catalog::json(SERVICES),
            Format::Openapi => catalog::openapi(SERVICES),
            Format::Asyncapi => catalog::asyncapi(SERVICES),
            Format::Terraform => terraform::document()?,
            Format::Knative => knative::document()?,
            Format::Helm => helm::document()?,
            Format::Metrics => metrics::document()?,
            Format::Grafana => grafana::document()?,
        };
        super::print(&format!("{}\n", serde_json::to_string_pretty(&document)?))
    }
}

/// `/openapi.json` and `/docs` of the services that an app serves.
pub fn documentation(app: &App) -> Router {
    let served: Vec<&'static Definition> = app.services().iter().map(|s| s.definition).collect();
    florin_http::docs::router(move || catalog::openapi(&served))
}
