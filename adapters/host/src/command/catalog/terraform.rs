//! `florin catalog --format terraform`: what the module infra/terraform/aws-serverless takes.

use florin_kernel::catalog::{By, Deployment, Entry, Filter, INVOCATION, MOST_DELIVERIES};
use florin_kernel::door::{Access, Door};
use florin_kernel::event::Pattern;
use florin_kernel::function::Room;
use serde_json::{Map, Value, json};

use super::{schedule, settings};
use crate::deployment::HostError;
use crate::services::SERVICES;

/// How many messages one invocation gets. They are handled one after the other, so more would only make the ones at
/// the end wait, and 10 is the most without a batching window.
const BATCH: u32 = 10;
/// How many times its time-out a function has before a message that it holds is handed out again (the AWS guide,
/// "Creating and configuring an Amazon SQS event source mapping").
const VISIBILITY_TIMEOUTS: u64 = 6;
/// The longest that SQS keeps a message: 14 days.
const RETENTION_S: u32 = 14 * 24 * 60 * 60;

/// Services by name, in each its functions by name: what `for_each` goes over.
pub(super) fn document() -> Result<Value, HostError> {
    let mut services = Map::new();
    for definition in SERVICES {
        let deployment = Deployment::of(definition);
        let mut functions = Map::new();
        for entry in &deployment.entries {
            functions.insert(entry.name.clone(), function(entry)?);
        }
        let service = json!({
            "summary": definition.summary,
            "choose": deployment.chooser(),
            "timeout_seconds": INVOCATION.as_secs(),
            "settings": settings::settings(&deployment.peers),
            "functions": functions,
            "effects": effects(&deployment),
        });
        services.insert(definition.name.to_owned(), service);
    }
    Ok(json!({ "generated_by": super::GENERATED_BY, "services": services }))
}

fn function(entry: &Entry) -> Result<Value, HostError> {
    let mut function = json!({
        "kind": entry.kind,
        "timeout_seconds": INVOCATION.as_secs(),
        "needs": {
            "publish": entry.needs.publishes,
            "consume": matches!(entry.by, By::Events(_)),
            "peers": entry.needs.peers,
            "secrets": settings::secrets(&entry.needs.peers),
        },
    });
    match entry.by {
        By::Door(door) => function["route"] = route(&door),
        By::Events(patterns) => function["queue"] = queue(entry, patterns),
        By::Schedule(every) => {
            function["schedule"] = json!({
                "expression": schedule::rate(&entry.name, every)?,
                "input": { "florin": { "job": entry.name } },
            });
        }
    }
    Ok(function)
}

fn route(door: &Door) -> Value {
    let scopes = match door.access {
        Access::Scope(scope) => vec![scope],
        Access::Public => vec![],
    };
    json!({ "key": format!("{} {}", door.method.as_str(), door.path), "scopes": scopes })
}

fn queue(entry: &Entry, patterns: &[Pattern]) -> Value {
    json!({
        "name": entry.name.replace('.', "-"),
        "filter_policy": filter_policy(patterns),
        "batch_size": BATCH,
        "visibility_timeout_seconds": INVOCATION.as_secs() * VISIBILITY_TIMEOUTS,
        "max_receive_count": MOST_DELIVERIES,
        "retention_seconds": RETENTION_S,
    })
}

/// The SNS filter policy, on the message attribute `type`; null where everything is let through.
fn filter_policy(patterns: &[Pattern]) -> Value {
    let mut list = Vec::new();
    for filter in patterns.iter().flat_map(|pattern| Filter::of(*pattern)) {
        list.push(match filter {
            Filter::Any => return Value::Null,
            Filter::Is(whole) => json!(whole),
            Filter::StartsWith(start) => json!({ "prefix": start }),
        });
    }
    json!({ "type": list })
}

/// Effects are no functions of their own: they run in the process of whoever asks for them, within its time.
fn effects(deployment: &Deployment) -> Value {
    let rooms = deployment.definition.functions.iter().filter_map(|function| match &function.room {
        Room::Effect(effect) => Some((function.name, effect)),
        Room::Command(_) | Room::Query(_) | Room::Reaction(_) | Room::Job(_) => None,
    });
    let effects = rooms.map(|(name, effect)| {
        (name.to_owned(), json!({ "peer": effect.peer, "timeout_seconds": effect.timeout.as_secs() }))
    });
    Value::Object(effects.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_ends_within_the_invocation_that_asked_for_it() {
        for service in SERVICES {
            for function in service.functions {
                if let Room::Effect(effect) = &function.room {
                    // A second more for the record of what it came to.
                    assert!(effect.timeout.as_secs() < INVOCATION.as_secs(), "{}", function.name);
                }
            }
        }
    }

    #[cfg(feature = "sqs")]
    #[test]
    fn the_filter_is_the_one_that_the_binary_would_make_itself() {
        for service in SERVICES {
            for function in service.functions {
                if let Room::Reaction(room) = &function.room {
                    let own = florin_sqs::filter_policy(room.on).unwrap_or(Value::Null);
                    assert_eq!(filter_policy(room.on), own, "{}", function.name);
                }
            }
        }
    }
}
