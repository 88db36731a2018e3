//! Audit: an append-only record of every event and every mutating operation. This file is the table of contents.

mod record;

mod get_record;
mod list_records;
mod record_event;

use florin_kernel::db::Migration;
use florin_kernel::function::Function;
use florin_kernel::service::Definition;

/// Every operation of this service.
pub const FUNCTIONS: &[Function] = &[
    Function::reaction::<record_event::RecordEvent>(),
    Function::query::<list_records::ListRecords>(),
    Function::query::<get_record::GetRecord>(),
];

/// The audit service. Its own operations make no records: they would never end.
pub const SERVICE: Definition = Definition {
    name: "audit",
    summary: "Who did what to which resource, and what happened because of it.",
    functions: FUNCTIONS,
    events: &[],
    migrations: &[
        Migration::expanding(1, "audit", include_str!("../migrations/0001_audit.sql")),
        Migration::expanding(2, "index_order", include_str!("../migrations/0002_index_order.sql")),
    ],
    audited: false,
};
