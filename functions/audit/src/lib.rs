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
        Migration {
            version: 1,
            name: "audit",
            sql: include_str!("../migrations/0001_audit.sql"),
            contracting: false,
        },
        Migration {
            version: 2,
            name: "index_order",
            sql: include_str!("../migrations/0002_index_order.sql"),
            contracting: false,
        },
    ],
    audited: false,
};
