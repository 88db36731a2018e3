//! Get one refund.

use florin_kernel::answer::Answer;
use florin_kernel::cx::View;
use florin_kernel::door::{Access, Door};
use florin_kernel::function::Query;
use florin_kernel::problem::Code;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::refund::{Refund, RefundId, RefundView};
use crate::refusals::REFUND_NOT_FOUND;

/// Get a refund.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetRefund {
    /// The refund.
    id: RefundId,
}

impl Query for GetRefund {
    const NAME: &'static str = "payments.get_refund";
    const DOOR: Door = Door::get("/v1/refunds/{id}", Access::Scope("refunds:read"));
    const REFUSES: &'static [Code] = &[REFUND_NOT_FOUND];
    type Answer = RefundView;

    async fn run(self, cx: &mut View) -> Result<Answer<RefundView>, Stop> {
        Ok(Answer::Ok(Refund::find(cx, self.id).await?.view()))
    }
}
