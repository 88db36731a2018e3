//! List payments, the newest first.

use florin_kernel::answer::Answer;
use florin_kernel::cx::View;
use florin_kernel::door::{Access, Door};
use florin_kernel::function::Query;
use florin_kernel::list::{Cursor, Limit, Page};
use florin_kernel::problem::Code;
use florin_kernel::stop::Stop;
use florin_kernel::time::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::payment::{Payment, Reference, Status, payment_columns};
use crate::payment_view::PaymentView;

/// List payments, the newest first.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListPayments {
    /// Only those in this status.
    status: Option<Status>,
    /// Only the one with this reference.
    reference: Option<Reference>,
    /// Only those created at this instant or later.
    created_from: Option<Timestamp>,
    /// Only those created before this instant.
    created_before: Option<Timestamp>,
    /// How many on a page.
    #[serde(default)]
    limit: Limit,
    /// Where the page before ended.
    cursor: Option<Cursor>,
}

impl Query for ListPayments {
    const NAME: &'static str = "payments.list_payments";
    const DOOR: Door = Door::get("/v1/payments", Access::Scope("payments:read"));
    const REFUSES: &'static [Code] = &[];
    type Answer = Page<PaymentView>;

    async fn run(self, cx: &mut View) -> Result<Answer<Page<PaymentView>>, Stop> {
        let (tenant, place) = (cx.tenant(), cx.place(self.cursor)?);
        let rows: Vec<Payment> = cx
            .sql(concat!(
                "SELECT ",
                payment_columns!(),
                "
                 FROM payments
                 WHERE tenant = $1"
            ))
            .bind(tenant)
            .and("status =", self.status)
            .and("reference =", self.reference.map(|r| r.to_string()))
            .and("created_at >=", self.created_from)
            .and("created_at <", self.created_before)
            .and("id <", place)
            .then("ORDER BY id DESC LIMIT", self.limit.rows())
            .all()
            .await?;
        let views = rows.iter().map(Payment::view).collect();
        Ok(Answer::Ok(cx.page(views, self.limit, |view| view.id.to_string())))
    }
}
