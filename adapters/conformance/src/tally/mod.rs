//! Tally: counts each event of payments, and is as naive about it as a service may be that relies on the corridor.
//!
//! The audit service would not notice a missing inbox, because what it records is unique by itself, and it never asks
//! for a retry. Here a change that is made twice shows. It is part of no binary but the one that chaos kills.

mod count_event;
mod list_tallies;

use florin_kernel::db::Migration;
use florin_kernel::event::Pattern;
use florin_kernel::function::{Function, Reaction};
use florin_kernel::id::{Id, Kind};
use florin_kernel::service::Definition;

/// Every operation of this service.
pub const FUNCTIONS: &[Function] =
    &[Function::reaction::<count_event::CountEvent>(), Function::query::<list_tallies::ListTallies>()];

/// The service. What it does is told by itself, so it makes no audit records.
pub const SERVICE: Definition = Definition {
    name: "tally",
    summary: "How often each event of payments was counted.",
    functions: FUNCTIONS,
    events: &[],
    migrations: &[Migration::expanding(1, "tally", include_str!("0001_tally.sql"))],
    audited: false,
};

/// The reaction's name, which its queue is named after.
pub const COUNT_EVENT: &str = count_event::CountEvent::NAME;

/// Where the tallies are listed.
pub const PATH: &str = "/v1/tallies";

/// The events that are counted.
const COUNTED: &[Pattern] = &[Pattern("florin.payment.*.v1"), Pattern("florin.refund.*.v1")];

/// Whether events of this type are counted.
pub fn is_counted(kind: &str) -> bool {
    COUNTED.iter().any(|pattern| pattern.matches(kind))
}

/// `tly_...`
enum TallyKind {}
impl Kind for TallyKind {
    const PREFIX: &'static str = "tly";
}
type TallyId = Id<TallyKind>;
