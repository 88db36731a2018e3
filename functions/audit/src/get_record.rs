//! Get one audit record.

use florin_kernel::answer::Answer;
use florin_kernel::cx::View;
use florin_kernel::door::{Access, Door};
use florin_kernel::function::Query;
use florin_kernel::problem::Code;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::record::{RECORD_NOT_FOUND, Record, RecordId, RecordView};

/// Get an audit record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetRecord {
    /// The record.
    id: RecordId,
}

impl Query for GetRecord {
    const NAME: &'static str = "audit.get_record";
    const DOOR: Door = Door::get("/v1/audit/records/{id}", Access::Scope("audit:read"));
    const REFUSES: &'static [Code] = &[RECORD_NOT_FOUND];
    type Answer = RecordView;

    async fn run(self, cx: &mut View) -> Result<Answer<RecordView>, Stop> {
        let tenant = cx.tenant();
        let found: Option<Record> = cx
            .sql(
                "SELECT id, kind, name, actor, client, resource, outcome, code, request_id, trace_id, source,
                     event_id, sequence, occurred_at, recorded_at, data
                 FROM audit_records
                 WHERE tenant = $1 AND id = $2",
            )
            .bind(tenant)
            .bind(self.id)
            .first()
            .await?;
        match found {
            Some(record) => Ok(Answer::Ok(record.view())),
            None => Err(RECORD_NOT_FOUND.because(format!("there is no audit record {}", self.id)).into()),
        }
    }
}
