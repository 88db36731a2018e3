//! `florin catalog --format helm`: what the chart infra/helm/florin takes, as `catalog.json` beside its templates.

use florin_kernel::catalog::{By, Deployment, INVOCATION};
use serde_json::{Value, json};

use super::kubernetes::{delivery_path, name, prefixes, routes};
use super::{schedule, settings};
use crate::deployment::HostError;
use crate::services::SERVICES;

/// A list of services, in each its routes, the queues that its workers consume and the jobs that they run.
pub(super) fn document() -> Result<Value, HostError> {
    let services: Result<Vec<Value>, HostError> =
        SERVICES.iter().map(|definition| service(&Deployment::of(definition))).collect();
    Ok(json!({ "generated_by": super::GENERATED_BY, "services": services? }))
}

fn service(deployment: &Deployment) -> Result<Value, HostError> {
    let (mut queues, mut jobs) = (Vec::new(), Vec::new());
    for entry in &deployment.entries {
        match entry.by {
            By::Door(_) => {}
            By::Events(patterns) => queues.push(json!({
                "name": name(&entry.name),
                "function": entry.name,
                // RabbitMQ's queue is called as the function, behind FLORIN_QUEUE_PREFIX.
                "queue": entry.name,
                "dead_queue": format!("{}.dead", entry.name),
                "patterns": patterns.iter().map(|pattern| pattern.0).collect::<Vec<_>>(),
                "path": delivery_path(&entry.name),
            })),
            By::Schedule(every) => jobs.push(json!({
                "name": name(&entry.name),
                "function": entry.name,
                "schedule": schedule::cron(&entry.name, every)?,
                "every_seconds": every.as_secs(),
                "path": delivery_path(&entry.name),
            })),
        }
    }
    Ok(json!({
        "name": deployment.definition.name,
        "summary": deployment.definition.summary,
        "functions": deployment.chooser(),
        "timeout_seconds": INVOCATION.as_secs(),
        "publishes": deployment.entries.iter().any(|entry| entry.needs.publishes),
        "peers": deployment.peers,
        "settings": settings::settings(&deployment.peers),
        "secrets": settings::secrets(&deployment.peers),
        "prefixes": prefixes(deployment),
        "routes": routes(deployment),
        "queues": queues,
        "jobs": jobs,
    }))
}
