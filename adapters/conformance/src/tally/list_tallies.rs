//! List how often events were counted, the newest first.

use florin_kernel::answer::Answer;
use florin_kernel::cx::View;
use florin_kernel::door::{Access, Door};
use florin_kernel::function::Query;
use florin_kernel::list::{Cursor, Limit, Page};
use florin_kernel::problem::Code;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TallyId;

/// List how often events were counted, the newest first.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListTallies {
    /// How many on a page.
    #[serde(default)]
    limit: Limit,
    /// Where the page before ended.
    cursor: Option<Cursor>,
}

/// How often an event was counted.
#[derive(Debug, Serialize, JsonSchema, sqlx::FromRow)]
pub(super) struct Tally {
    id: TallyId,
    /// The event's source.
    source: String,
    /// The event's identifier; unique within its source.
    event_id: String,
    /// How often it was counted.
    times: i64,
    /// Which attempt counted it first.
    attempts: i64,
    /// How many attempts before that one were to fail.
    retries: i64,
}

impl Query for ListTallies {
    const NAME: &'static str = "tally.list_tallies";
    const DOOR: Door = Door::get(super::PATH, Access::Scope("tally:read"));
    const REFUSES: &'static [Code] = &[];
    type Answer = Page<Tally>;

    async fn run(self, cx: &mut View) -> Result<Answer<Page<Tally>>, Stop> {
        let (tenant, place) = (cx.tenant(), cx.place(self.cursor)?);
        let rows: Vec<Tally> = cx
            .sql(
                "SELECT id, source, event_id, times, attempts, retries
                 FROM tallies
                 WHERE tenant = $1",
            )
            .bind(tenant)
            .and("id <", place)
            .then("ORDER BY id DESC LIMIT", self.limit.rows())
            .all()
            .await?;
        Ok(Answer::Ok(cx.page(rows, self.limit, |tally: &Tally| tally.id.to_string())))
    }
}
