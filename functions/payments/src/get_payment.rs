//! Get one payment.

use florin_kernel::answer::Answer;
use florin_kernel::cx::View;
use florin_kernel::door::{Access, Door};
use florin_kernel::function::Query;
use florin_kernel::problem::Code;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::payment::{Payment, PaymentId};
use crate::payment_view::PaymentView;
use crate::refusals::PAYMENT_NOT_FOUND;

/// Get a payment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetPayment {
    /// The payment.
    id: PaymentId,
}

impl Query for GetPayment {
    const NAME: &'static str = "payments.get_payment";
    const DOOR: Door = Door::get("/v1/payments/{id}", Access::Scope("payments:read"));
    const REFUSES: &'static [Code] = &[PAYMENT_NOT_FOUND];
    type Answer = PaymentView;

    async fn run(self, cx: &mut View) -> Result<Answer<PaymentView>, Stop> {
        Ok(Answer::Ok(Payment::find(cx, self.id).await?.view()))
    }
}
