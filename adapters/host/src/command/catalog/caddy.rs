//! The configuration of the reverse proxy in infra/containers: Caddy, in its own JSON.

use florin_kernel::catalog::Deployment;
use serde_json::{Value, json};

use super::kubernetes::routes;
use crate::deployment::HostError;
use crate::services::SERVICES;

/// The port of the proxy, and of the processes behind it.
const PORT: u16 = 8064;

/// A route per operation to the process called after its service, and nothing besides.
pub(super) fn document() -> Result<Value, HostError> {
    let deployments = SERVICES.iter().map(|definition| Deployment::of(definition));
    let mut proxied: Vec<Value> = deployments.filter_map(|deployment| service(&deployment)).collect();
    // Caddy answers 200 to what no route matches.
    proxied.push(json!({ "handle": [{
        "handler": "static_response",
        "status_code": "404",
        "headers": { "Content-Type": ["application/problem+json"] },
        "body": r#"{"type":"about:blank","status":404,"title":"Not Found","code":"not_found"}"#,
    }] }));
    Ok(json!({
        "admin": { "disabled": true },
        "apps": { "http": { "servers": { "florin": {
            "listen": [format!(":{PORT}")],
            // Certificates are of whoever stands before it.
            "automatic_https": { "disable": true },
            "routes": proxied,
        } } } },
    }))
}

fn service(deployment: &Deployment) -> Option<Value> {
    let matches: Vec<Value> = routes(deployment)
        .iter()
        .map(|route| json!({ "method": [route["method"]], "path_regexp": { "pattern": route["regex"] } }))
        .collect();
    (!matches.is_empty()).then(|| {
        json!({
            "match": matches,
            "handle": [{
                "handler": "reverse_proxy",
                "upstreams": [{ "dial": format!("{}:{PORT}", deployment.definition.name) }],
            }],
            "terminal": true,
        })
    })
}
