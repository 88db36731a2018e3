//! The noun: an audit record.

use florin_kernel::id::{Id, Kind};
use florin_kernel::problem::{Class, Code};
use florin_kernel::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

pub(crate) const RECORD_NOT_FOUND: Code =
    Code::new("audit_record_not_found", Class::NotFound, "There is no such audit record.");

/// `aud_...`
pub(crate) enum RecordKind {}
impl Kind for RecordKind {
    const PREFIX: &'static str = "aud";
}
/// An audit record's identifier.
pub(crate) type RecordId = Id<RecordKind>;

florin_kernel::text::text_enum! {
    /// What a record is of.
    pub(crate) enum Of: "a kind of audit record" {
        /// Something that happened.
        Event = "event",
        /// Something that was asked for.
        Operation = "operation",
    }
}

/// A record as it is stored.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Record {
    pub(crate) id: RecordId,
    pub(crate) kind: Of,
    pub(crate) name: String,
    pub(crate) actor: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) trace_id: Option<String>,
    pub(crate) source: String,
    pub(crate) event_id: String,
    pub(crate) sequence: Option<i64>,
    pub(crate) occurred_at: Timestamp,
    pub(crate) recorded_at: Timestamp,
    pub(crate) data: String,
}

/// A record as callers see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditRecord")]
pub(crate) struct RecordView {
    /// `aud_...`
    pub(crate) id: RecordId,
    /// An event that happened, or an operation that was asked for.
    kind: Of,
    /// The event's type or the operation's name.
    name: String,
    /// Who asked: the token's subject.
    actor: Option<String>,
    /// Through which client.
    client: Option<String>,
    /// The resource it is about.
    resource: Option<String>,
    /// Of an operation: succeeded, accepted, declined, refused, forbidden or needs_review.
    outcome: Option<String>,
    /// Why it was not done: the problem's code.
    code: Option<String>,
    /// The request's identifier.
    request_id: Option<String>,
    /// The W3C trace it belongs to.
    trace_id: Option<String>,
    /// The event's source.
    source: String,
    /// The event's identifier; unique within its source.
    event_id: String,
    /// The resource's version.
    sequence: Option<i64>,
    /// When it happened (RFC 3339).
    occurred_at: Timestamp,
    /// When it was recorded (RFC 3339).
    recorded_at: Timestamp,
    /// The event's data.
    data: Value,
}

impl Record {
    /// As callers see it.
    pub(crate) fn view(self) -> RecordView {
        RecordView {
            id: self.id,
            kind: self.kind,
            name: self.name,
            actor: self.actor,
            client: self.client,
            resource: self.resource,
            outcome: self.outcome,
            code: self.code,
            request_id: self.request_id,
            trace_id: self.trace_id,
            source: self.source,
            event_id: self.event_id,
            sequence: self.sequence,
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
            data: serde_json::from_str(&self.data).unwrap_or(Value::Null),
        }
    }
}
