//! The catalog for those who deploy: how each function is entered, how long it may take and what it needs.

use std::time::Duration;

use crate::corridor::KernelJob;
use crate::door::Door;
use crate::event::Pattern;
use crate::function::{Function, Room};
use crate::service::Definition;

/// How long one invocation may take. The fronts set it: HTTP APIs give up after 30 s, and whoever is cut off there must
/// find the work ended. What takes longer is an effect that the sweep takes up again.
pub const INVOCATION: Duration = Duration::from_secs(29);

/// How often a broker may hand out a message before it sets it aside: a backstop against what kills the process, far
/// above Florin's own count of attempts.
pub const MOST_DELIVERIES: u32 = 100;

/// A service as it is deployed.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// What it is.
    pub definition: &'static Definition,
    /// Its functions that something outside enters, in the order of its list, and last the kernel's jobs.
    pub entries: Vec<Entry>,
    /// The peers that its effects call, each once.
    pub peers: Vec<&'static str>,
}

/// A function that something outside the process enters.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `service.verb_noun`.
    pub name: String,
    /// "command", "query", "reaction" or "job".
    pub kind: &'static str,
    /// How it is entered.
    pub by: By,
    /// What it needs besides its own database.
    pub needs: Needs,
}

/// How a function is entered.
#[derive(Clone, Copy, Debug)]
pub enum By {
    /// Over HTTP.
    Door(Door),
    /// By events, on a queue of its own.
    Events(&'static [Pattern]),
    /// By the clock, this often.
    Schedule(Duration),
}

/// What a function needs besides its own database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Whether it publishes events. A query does too: that somebody may not read is told to the audit service.
    pub publishes: bool,
    /// The peers that it may call. Which effects a room asks for only its code knows, so these are all of the
    /// service's for whatever changes something, and none for what only reads.
    pub peers: Vec<&'static str>,
}

impl Deployment {
    /// A service as it is deployed.
    pub fn of(definition: &'static Definition) -> Self {
        let mut peers = Vec::new();
        for function in definition.functions {
            if let Room::Effect(effect) = &function.room
                && !peers.contains(&effect.peer)
            {
                peers.push(effect.peer);
            }
        }
        let publishes = definition.audited || !definition.events.is_empty();
        let own = definition.functions.iter().filter_map(|function| {
            let peers = if changes(function) { peers.clone() } else { Vec::new() };
            let by = by(function)?;
            let needs = Needs { publishes, peers };
            Some(Entry { name: function.name.to_owned(), kind: function.kind(), by, needs })
        });
        let kernel = KernelJob::ALL.map(|job| {
            let needs = match job {
                // What an operator did to its rows is told by every service.
                KernelJob::Sweep => Needs { publishes: true, peers: peers.clone() },
                KernelJob::Purge => Needs { publishes: false, peers: Vec::new() },
            };
            let name = format!("{}.{}", definition.name, job.verb());
            Entry { name, kind: "job", by: By::Schedule(job.every()), needs }
        });
        Self { definition, entries: own.chain(kernel).collect(), peers }
    }

    /// What chooses all of its functions in `FLORIN_FUNCTIONS`.
    pub fn chooser(&self) -> String {
        format!("{}.*", self.definition.name)
    }
}

/// How the function is entered; an effect is asked for by the others and runs in their process.
fn by(function: &Function) -> Option<By> {
    match &function.room {
        Room::Command(room) => Some(By::Door(room.at.door)),
        Room::Query(room) => Some(By::Door(room.at.door)),
        Room::Reaction(room) => Some(By::Events(room.on)),
        Room::Job(room) => Some(By::Schedule(room.every)),
        Room::Effect(_) => None,
    }
}

fn changes(function: &Function) -> bool {
    match function.room {
        Room::Command(_) | Room::Reaction(_) | Room::Job(_) => true,
        Room::Query(_) | Room::Effect(_) => false,
    }
}
