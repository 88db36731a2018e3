//! List refunds, the newest first.

use florin_kernel::answer::Answer;
use florin_kernel::cx::View;
use florin_kernel::door::{Access, Door};
use florin_kernel::function::Query;
use florin_kernel::list::{Cursor, Limit, Page};
use florin_kernel::problem::Code;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::payment::{PaymentId, Reference};
use crate::refund::{Refund, RefundStatus, RefundView};

/// List refunds, the newest first.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListRefunds {
    /// Only those of this payment.
    payment: Option<PaymentId>,
    /// Only those in this status.
    status: Option<RefundStatus>,
    /// Only the one with this reference.
    reference: Option<Reference>,
    /// How many on a page.
    #[serde(default)]
    limit: Limit,
    /// Where the page before ended.
    cursor: Option<Cursor>,
}

impl Query for ListRefunds {
    const NAME: &'static str = "payments.list_refunds";
    const DOOR: Door = Door::get("/v1/refunds", Access::Scope("refunds:read"));
    const REFUSES: &'static [Code] = &[];
    type Answer = Page<RefundView>;

    async fn run(self, cx: &mut View) -> Result<Answer<Page<RefundView>>, Stop> {
        let (tenant, place) = (cx.tenant(), cx.place(self.cursor)?);
        let rows: Vec<Refund> = cx
            .sql(
                "SELECT id, payment, amount, currency, reason, reference, status, needs_review, metadata, created_at,
                        version
                 FROM refunds
                 WHERE tenant = $1",
            )
            .bind(tenant)
            .and("payment =", self.payment)
            .and("status =", self.status)
            .and("reference =", self.reference.map(|r| r.to_string()))
            .and("id <", place)
            .then("ORDER BY id DESC LIMIT", self.limit.rows())
            .all()
            .await?;
        let views = rows.iter().map(Refund::view).collect();
        Ok(Answer::Ok(cx.page(views, self.limit, |view| view.id.to_string())))
    }
}
