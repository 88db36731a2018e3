//! List audit records, the newest first.

use florin_kernel::answer::Answer;
use florin_kernel::cx::View;
use florin_kernel::door::{Access, Door};
use florin_kernel::function::Query;
use florin_kernel::list::{Cursor, Limit, Page};
use florin_kernel::problem::Code;
use florin_kernel::stop::Stop;
use florin_kernel::text::Text;
use florin_kernel::time::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::record::{Of, Record, RecordView};

/// List audit records, the newest first.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListRecords {
    /// Only events or only operations.
    kind: Option<Of>,
    /// Only this event type or this operation.
    operation: Option<Text<255>>,
    /// Only what this subject asked for.
    actor: Option<Text<255>>,
    /// Only what is about this resource.
    resource: Option<Text<255>>,
    /// Only what happened at this instant or later.
    from: Option<Timestamp>,
    /// Only what happened before this instant.
    before: Option<Timestamp>,
    /// How many on a page.
    #[serde(default)]
    limit: Limit,
    /// Where the page before ended.
    cursor: Option<Cursor>,
}

impl Query for ListRecords {
    const NAME: &'static str = "audit.list_records";
    const DOOR: Door = Door::get("/v1/audit/records", Access::Scope("audit:read"));
    const REFUSES: &'static [Code] = &[];
    type Answer = Page<RecordView>;

    async fn run(self, cx: &mut View) -> Result<Answer<Page<RecordView>>, Stop> {
        let (tenant, place) = (cx.tenant(), cx.place(self.cursor)?);
        let rows: Vec<Record> = cx
            .sql(
                "SELECT id, kind, name, actor, client, resource, outcome, code, request_id, trace_id, source,
                     event_id, sequence, occurred_at, recorded_at, data
                 FROM audit_records
                 WHERE tenant = $1",
            )
            .bind(tenant)
            .and("kind =", self.kind)
            .and("name =", self.operation.map(|o| o.to_string()))
            .and("actor =", self.actor.map(|a| a.to_string()))
            .and("resource =", self.resource.map(|r| r.to_string()))
            .and("occurred_at >=", self.from)
            .and("occurred_at <", self.before)
            .and("id <", place)
            .then("ORDER BY id DESC LIMIT", self.limit.rows())
            .all()
            .await?;
        let views = rows.into_iter().map(Record::view).collect();
        Ok(Answer::Ok(cx.page(views, self.limit, |view: &RecordView| view.id.to_string())))
    }
}
