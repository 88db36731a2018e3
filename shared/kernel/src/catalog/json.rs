//! The catalog for programs: what a deployment needs to route, schedule, subscribe and permit.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use super::{VERSION, emitted, first_sentence, spoken};
use crate::corridor::KernelJob;
use crate::door::{Access, Errors, Gives, Reads, Says, Takes};
use crate::function::{DoorRoom, EffectRoom, Function, Room};
use crate::service::Definition;

/// The catalog of these services. Durations are whole seconds; what a function does not have is not there.
pub fn json(definitions: &[&'static Definition]) -> Value {
    let mut schemas = Schemas::new(SchemaSettings::draft2020_12);
    let functions: Vec<Value> = definitions
        .iter()
        .flat_map(|definition| definition.functions)
        .map(|entry| function(entry, &mut schemas))
        .collect();
    json!({
        "name": "florin",
        "version": VERSION,
        "services": definitions.iter().map(|definition| service(definition)).collect::<Vec<_>>(),
        "functions": functions,
        "kernel_jobs": definitions.iter().flat_map(|of| kernel_jobs(of)).collect::<Vec<_>>(),
        "events": emitted(definitions).into_iter().map(|event| json!({
            "type": event.entry.kind,
            "summary": event.entry.summary,
            "producers": event.producers,
            "consumers": event.consumers,
        })).collect::<Vec<_>>(),
        "scopes": scopes(definitions),
    })
}

fn service(of: &Definition) -> Value {
    json!({
        "name": of.name,
        "summary": of.summary,
        "source": of.source(),
        "audited": of.audited,
    })
}

fn function(of: &Function, schemas: &mut Schemas) -> Value {
    let mut entry = Map::new();
    let mut set = |name: &str, value: Value| entry.insert(name.to_owned(), value);
    set("name", of.name.into());
    set("service", of.service().into());
    set("kind", of.kind().into());
    set("summary", summary(of, schemas).into());
    match &of.room {
        Room::Command(room) => {
            set("door", door(&room.at));
        }
        Room::Query(room) => {
            set("door", door(&room.at));
        }
        Room::Reaction(room) => {
            set("on", room.on.iter().map(|pattern| pattern.0).collect());
            set("queue", of.name.into());
        }
        Room::Job(room) => {
            set("every_seconds", room.every.as_secs().into());
            set("queue", of.name.into());
        }
        Room::Effect(room) => {
            set("effect", effect(room));
        }
    }
    entry.into()
}

/// The first sentence of the request's own description, or what the name says.
fn summary(of: &Function, schemas: &mut Schemas) -> String {
    let described = of.door().and_then(|at| {
        let (_, request) = schemas.request(at.request);
        Some(first_sentence(request.get("description")?.as_str()?))
    });
    described.unwrap_or_else(|| spoken(of.name))
}

fn door(at: &DoorRoom) -> Value {
    let door = &at.door;
    let (access, scope) = match door.access {
        Access::Scope(scope) => ("scope", Some(scope)),
        Access::Public => ("public", None),
    };
    let (takes, signature_header) = match door.takes {
        Takes::Json => ("json", None),
        Takes::Form => ("form", None),
        Takes::Signed { header } => ("signed", Some(header)),
    };
    let mut entry = json!({
        "method": door.method.as_str(),
        "path": door.path,
        "access": access,
        "takes": takes,
        "gives": match door.gives {
            Gives::Json => "json",
            Gives::Page => "page",
            Gives::Redirect => "redirect",
            Gives::File => "file",
        },
        "reads": door.reads.iter().map(reads).collect::<Vec<_>>(),
        "says": door.says.iter().map(says).collect::<Vec<_>>(),
        "errors": match door.errors {
            Errors::Problem => "problem",
            Errors::OAuth => "oauth",
        },
        "creates": door.creates,
        "waits": door.waits,
        "refuses": at.refuses.iter().map(|code| code.code).collect::<Vec<_>>(),
    });
    for (name, value) in [("scope", scope), ("signature_header", signature_header)] {
        if let Some(value) = value {
            entry[name] = value.into();
        }
    }
    entry
}

fn reads(reads: &Reads) -> Value {
    let place = match reads {
        Reads::Header { .. } => "header",
        Reads::Cookie { .. } => "cookie",
    };
    json!({ "in": place, "name": reads.name(), "field": reads.field() })
}

fn says(says: &Says) -> Value {
    let (place, name) = match says {
        Says::Header { name, .. } => ("header", name),
        Says::Cookie { name, .. } => ("cookie", name),
    };
    json!({ "in": place, "name": name })
}

fn effect(room: &EffectRoom) -> Value {
    json!({
        "peer": room.peer,
        "peer_honours_key": room.peer_honours_key,
        "timeout_seconds": seconds(room.timeout),
        "max_age_seconds": seconds(room.max_age),
        "record": room.record_name,
    })
}

fn kernel_jobs(of: &Definition) -> impl Iterator<Item = Value> {
    let service = of.name;
    KernelJob::ALL.into_iter().map(move |job| {
        let name = format!("{service}.{}", job.verb());
        json!({ "name": name, "service": service, "every_seconds": seconds(job.every()), "queue": name })
    })
}

/// Which functions each scope opens.
fn scopes(definitions: &[&'static Definition]) -> Value {
    let mut scopes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for function in definitions.iter().flat_map(|definition| definition.functions) {
        if let Some(Access::Scope(scope)) = function.door().map(|at| at.door.access) {
            scopes.entry(scope).or_default().push(function.name);
        }
    }
    scopes.into_iter().map(|(scope, functions)| json!({ "scope": scope, "functions": functions })).collect()
}

fn seconds(duration: Duration) -> u64 {
    duration.as_secs()
}
