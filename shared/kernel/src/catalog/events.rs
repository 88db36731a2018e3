//! Every event type there is, with the services that emit it and the functions that want it.

use crate::cx::OPERATION;
use crate::function::{EventEntry, Function, Room};
use crate::service::Definition;

/// An event type and where it goes from and to.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// Its type, summary, example and schema.
    pub entry: EventEntry,
    /// The names of the services that emit it.
    pub producers: Vec<&'static str>,
    /// The reactions that want it.
    pub consumers: Vec<&'static str>,
}

/// Every event type in the order of the services' lists, and last the operation's record that the kernel emits
/// for every audited service, and for every service of what an operator does to its rows.
pub fn emitted(definitions: &[&'static Definition]) -> Vec<Emitted> {
    let own = definitions.iter().flat_map(|of| of.events.iter().map(|entry| (*entry, vec![of.name])));
    let every = || definitions.iter().map(|of| of.name).collect();
    let audited = definitions.iter().any(|of| of.audited);
    own.chain(audited.then(|| (OPERATION.entry(), every())))
        .map(|(entry, producers)| Emitted { entry, producers, consumers: consumers(definitions, entry.kind) })
        .collect()
}

fn consumers(definitions: &[&'static Definition], kind: &str) -> Vec<&'static str> {
    let wants = |function: &&'static Function| match &function.room {
        Room::Reaction(room) => room.on.iter().any(|pattern| pattern.matches(kind)),
        Room::Command(_) | Room::Query(_) | Room::Job(_) | Room::Effect(_) => false,
    };
    definitions.iter().flat_map(|of| of.functions).filter(wants).map(|function| function.name).collect()
}
