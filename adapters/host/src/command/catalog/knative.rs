//! `florin catalog --format knative`: what infra/knative takes.

use florin_kernel::catalog::{By, Deployment, Filter, INVOCATION, MOST_DELIVERIES};
use florin_kernel::event::Pattern;
use serde_json::{Value, json};

use super::kubernetes::{delivery_path, name, routes};
use super::{schedule, settings};
use crate::deployment::HostError;
use crate::services::SERVICES;

/// A list of services, in each its routes, the Triggers of its reactions and the PingSources of its jobs.
pub(super) fn document() -> Result<Value, HostError> {
    let services: Result<Vec<Value>, HostError> =
        SERVICES.iter().map(|definition| service(&Deployment::of(definition))).collect();
    Ok(json!({ "generated_by": super::GENERATED_BY, "services": services? }))
}

fn service(deployment: &Deployment) -> Result<Value, HostError> {
    let (mut triggers, mut pings) = (Vec::new(), Vec::new());
    for entry in &deployment.entries {
        let common = (name(&entry.name), &entry.name, delivery_path(&entry.name));
        match entry.by {
            By::Door(_) => {}
            By::Events(patterns) => triggers.push(json!({
                "name": common.0,
                "function": common.1,
                "path": common.2,
                "filters": filters(patterns),
                // A Trigger that sets one of these gives up all of the Broker's: they are complete.
                "delivery": {
                    "retry": MOST_DELIVERIES,
                    "backoffPolicy": "exponential",
                    "backoffDelay": "PT1S",
                    "timeout": format!("PT{}S", INVOCATION.as_secs() + 1),
                },
            })),
            By::Schedule(every) => pings.push(json!({
                "name": common.0,
                "function": common.1,
                "path": common.2,
                "schedule": schedule::cron(common.1, every)?,
                "every_seconds": every.as_secs(),
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
        "routes": routes(deployment),
        "triggers": triggers,
        "pings": pings,
    }))
}

/// A Trigger's `filters` (eventing.knative.dev/v1): one dialect that lets through what any pattern wants.
fn filters(patterns: &[Pattern]) -> Vec<Value> {
    let mut any = Vec::new();
    for filter in patterns.iter().flat_map(|pattern| Filter::of(*pattern)) {
        any.push(match filter {
            Filter::Any => return Vec::new(),
            Filter::Is(whole) => json!({ "exact": { "type": whole } }),
            Filter::StartsWith(start) => json!({ "prefix": { "type": start } }),
        });
    }
    if any.len() == 1 { any } else { vec![json!({ "any": any })] }
}
