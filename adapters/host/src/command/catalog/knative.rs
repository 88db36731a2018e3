//! `florin catalog --format knative`: the objects that the code knows of, for the kustomizations in infra/knative.
//!
//! Kustomize has no loops, so these are objects already, with nothing in them but what the code says. Every setting that
//! it does not say (probes, scale, security, addresses) is a hand-written patch over all of them.

use florin_kernel::catalog::{By, Deployment, Entry, Filter, INVOCATION, MOST_DELIVERIES};
use florin_kernel::event::Pattern;
use serde_json::{Value, json};

use super::kubernetes::{delivery_path, name};
use super::schedule;
use crate::deployment::HostError;
use crate::services::SERVICES;

/// The namespace in which the overlays deploy; it is part of the address of a cluster-local Service.
const NAMESPACE: &str = "florin";

/// How long Knative gives a request, and a process that is to go: more than an invocation, and more than a drain.
const TIMEOUT_SECONDS: u64 = INVOCATION.as_secs() + 31;

/// All of them.
pub(super) fn document() -> Result<Value, HostError> {
    let mut items = services();
    items.extend(deliveries()?);
    items.extend(consumers());
    Ok(list(items))
}

/// What the public reaches: a Service per service.
pub(super) fn public() -> Result<Value, HostError> {
    Ok(list(services()))
}

/// What events and the clock reach: a cluster-local Service per service, its Triggers and its PingSources.
pub(super) fn eventing() -> Result<Value, HostError> {
    Ok(list(deliveries()?))
}

/// What takes their place where Florin reads RabbitMQ itself: a Deployment per service, which is released with its service.
pub(super) fn workers() -> Result<Value, HostError> {
    Ok(list(consumers()))
}

fn list(items: Vec<Value>) -> Value {
    json!({ "apiVersion": "v1", "kind": "List", "items": items })
}

fn deployments() -> impl Iterator<Item = Deployment> {
    SERVICES.iter().map(|definition| Deployment::of(definition))
}

fn services() -> Vec<Value> {
    let services = deployments().filter(|deployment| deployment.entries.iter().any(is_door));
    services
        .map(|deployment| {
            let name = deployment.definition.name;
            service(&format!("florin-{name}"), labels(name, "public"), &deployment.chooser())
        })
        .collect()
}

fn deliveries() -> Result<Vec<Value>, HostError> {
    let mut items = Vec::new();
    for deployment in deployments() {
        let service_name = deployment.definition.name;
        let delivered: Vec<&Entry> = deployment.entries.iter().filter(|entry| !is_door(entry)).collect();
        let mut local = labels(service_name, "deliveries");
        local["networking.knative.dev/visibility"] = "cluster-local".into();
        items.push(service(&receiver(service_name), local, &entered(&deployment)));
        for entry in delivered {
            let sink = json!({
                "uri": format!(
                    "http://{}.{NAMESPACE}.svc.cluster.local{}",
                    receiver(service_name),
                    delivery_path(&entry.name)
                ),
            });
            match entry.by {
                By::Door(_) => {}
                By::Events(patterns) => items.push(trigger(service_name, entry, patterns, &sink)),
                By::Schedule(every) => {
                    let cron = schedule::cron(&entry.name, every)?;
                    items.push(ping(service_name, entry, &cron, &sink));
                }
            }
        }
    }
    Ok(items)
}

fn consumers() -> Vec<Value> {
    let services = deployments().filter(|deployment| !deployment.entries.iter().all(is_door));
    services.map(|deployment| worker(deployment.definition.name, &entered(&deployment))).collect()
}

/// The functions of a service that events and the clock reach.
fn entered(deployment: &Deployment) -> String {
    let functions =
        deployment.entries.iter().filter(|entry| !is_door(entry)).map(|entry| entry.name.as_str());
    functions.collect::<Vec<_>>().join(",")
}

fn is_door(entry: &Entry) -> bool {
    matches!(entry.by, By::Door(_))
}

fn receiver(service: &str) -> String {
    format!("florin-{service}-deliveries")
}

fn labels(service: &str, door: &str) -> Value {
    json!({
        "app.kubernetes.io/name": "florin",
        "app.kubernetes.io/part-of": "florin",
        "app.kubernetes.io/component": service,
        "florin.dev/door": door,
    })
}

fn service(name: &str, labels: Value, functions: &str) -> Value {
    json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": { "name": name, "labels": labels },
        "spec": { "template": {
            "metadata": { "labels": { "app.kubernetes.io/name": "florin" } },
            "spec": {
                "timeoutSeconds": TIMEOUT_SECONDS,
                "containers": [{
                    "name": "florin",
                    "image": "florin",
                    "env": [{ "name": "FLORIN_FUNCTIONS", "value": functions }],
                }],
            },
        } },
    })
}

fn worker(service: &str, functions: &str) -> Value {
    let labels = json!({
        "app.kubernetes.io/name": "florin",
        "app.kubernetes.io/part-of": "florin",
        "app.kubernetes.io/component": format!("{service}-worker"),
    });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": format!("florin-{service}-worker"), "labels": labels },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{
                    "name": "florin",
                    "image": "florin",
                    "env": [{ "name": "FLORIN_FUNCTIONS", "value": functions }],
                }] },
            },
        },
    })
}

fn trigger(service: &str, entry: &Entry, patterns: &[Pattern], sink: &Value) -> Value {
    json!({
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": { "name": name(&entry.name), "labels": labels(service, "deliveries") },
        "spec": {
            "broker": "florin",
            "filters": filters(patterns),
            "subscriber": sink,
            // A Trigger that sets one of these gives up all of the Broker's: they are complete. What the broker gave up is
            // delivered anew, to the same door, which keeps a dead letter of its own once it has tried often enough.
            "delivery": {
                "retry": MOST_DELIVERIES,
                // Knative knows no longest wait: an exponential one would be as long again as the outage was, and
                // whatever waits keeps a place of the Trigger's from others. Five seconds more each time are 500 at
                // most, and seven hours in all.
                "backoffPolicy": "linear",
                "backoffDelay": "PT5S",
                "timeout": format!("PT{}S", INVOCATION.as_secs() + 1),
                "deadLetterSink": sink,
            },
        },
    })
}

fn ping(service: &str, entry: &Entry, cron: &str, sink: &Value) -> Value {
    json!({
        "apiVersion": "sources.knative.dev/v1",
        "kind": "PingSource",
        "metadata": { "name": name(&entry.name), "labels": labels(service, "deliveries") },
        "spec": {
            "schedule": cron,
            "timezone": "Etc/UTC",
            "contentType": "application/json",
            "data": "{}",
            "sink": sink,
        },
    })
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
