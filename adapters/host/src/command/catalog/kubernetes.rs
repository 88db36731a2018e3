//! What Knative and plain Kubernetes have in common: names, routes, and the guarded door.

use florin_kernel::catalog::{By, Deployment};
use florin_kernel::door::Access;
use serde_json::{Value, json};

/// A function's name as Kubernetes allows it (RFC 1123): `payments.sweep` is `payments-sweep`.
pub(super) fn name(function: &str) -> String {
    function.replace(['.', '_'], "-")
}

/// The path of a function's guarded deliveries.
pub(super) fn delivery_path(function: &str) -> String {
    format!("/_deliver/{function}")
}

/// Every HTTP door. `prefix` is what stands before the first parameter, and `regex` the whole path (RE2, anchored).
pub(super) fn routes(deployment: &Deployment) -> Vec<Value> {
    let doors = deployment.entries.iter().filter_map(|entry| match entry.by {
        By::Door(door) => Some((entry, door)),
        By::Events(_) | By::Schedule(_) => None,
    });
    let routes = doors.map(|(entry, door)| {
        let mut route = json!({
            "function": entry.name,
            "method": door.method.as_str(),
            "path": door.path,
            "exact": door.path_parameters().next().is_none(),
            "prefix": prefix(door.path),
            "regex": regex(door.path),
            "access": "public",
        });
        if let Access::Scope(scope) = door.access {
            route["access"] = "scope".into();
            route["scope"] = scope.into();
        }
        route
    });
    routes.collect()
}

/// The shortest prefixes under which all doors lie, for fronts that route by prefix alone.
pub(super) fn prefixes(deployment: &Deployment) -> Vec<String> {
    let mut prefixes: Vec<String> = Vec::new();
    for entry in &deployment.entries {
        if let By::Door(door) = entry.by {
            let prefix = prefix(door.path).to_owned();
            if !prefixes.contains(&prefix) {
                prefixes.push(prefix);
            }
        }
    }
    let covered = |one: &String| {
        prefixes
            .iter()
            .any(|other| one.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('/')))
    };
    prefixes.iter().filter(|one| !covered(one)).cloned().collect()
}

fn prefix(path: &str) -> &str {
    path.split_once("/{").map_or(path, |(before, _)| before)
}

fn regex(path: &str) -> String {
    let parts =
        path.split('/').map(|part| if part.starts_with('{') { "[^/]+".to_owned() } else { quoted(part) });
    format!("^{}$", parts.collect::<Vec<_>>().join("/"))
}

fn quoted(part: &str) -> String {
    part.replace('.', "\\.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_said_as_prefix_and_as_expression() {
        assert_eq!(prefix("/v1/payments/{id}/capture"), "/v1/payments");
        assert_eq!(regex("/v1/payments/{id}/capture"), "^/v1/payments/[^/]+/capture$");
        assert_eq!(regex("/v1/a.b"), "^/v1/a\\.b$");
        assert_eq!(name("audit.record_event"), "audit-record-event");
    }
}
