//! Confirm a payment: try to take or reserve the amount.

use florin_kernel::answer::Answer;
use florin_kernel::cx::{Cx, View};
use florin_kernel::door::{Access, Door};
use florin_kernel::function::Command;
use florin_kernel::problem::Code;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::charge_card::ChargeCard;
use crate::payment::{Payment, PaymentId, Status};
use crate::payment_method::PaymentMethod;
use crate::payment_view::PaymentView;
use crate::refusals::{CARD_DECLINED, PAYMENT_METHOD_MISSING, PAYMENT_NOT_FOUND, PAYMENT_STATE_CONFLICT};
use crate::return_url::ReturnUrl;

/// Confirm a payment. A declined card is a 402 with the payment inside.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmPayment {
    /// The payment.
    id: PaymentId,
    /// The method's token at the provider, if the payment has none or another is wanted.
    #[schemars(example = &"pm_card_visa")]
    payment_method: Option<PaymentMethod>,
    /// Where the customer goes after authenticating.
    return_url: Option<ReturnUrl>,
}

impl Command for ConfirmPayment {
    const NAME: &'static str = "payments.confirm_payment";
    const DOOR: Door = Door::post("/v1/payments/{id}/confirm", Access::Scope("payments:write")).waiting();
    const REFUSES: &'static [Code] =
        &[PAYMENT_NOT_FOUND, PAYMENT_STATE_CONFLICT, PAYMENT_METHOD_MISSING, CARD_DECLINED];
    type Answer = PaymentView;

    async fn run(self, cx: &mut Cx) -> Result<Answer<PaymentView>, Stop> {
        let payment = Payment::lock(cx, self.id).await?;
        cx.about(payment.id);
        let payment = payment.confirm(self.payment_method, self.return_url, cx.new_id())?.save(cx).await?;
        ChargeCard::start(&payment, cx).await?;
        Ok(Answer::Waiting { subject: payment.id.to_string() })
    }

    async fn answer(cx: &mut View, subject: &str) -> Result<Answer<PaymentView>, Stop> {
        let payment = Payment::of_subject(cx, subject).await?;
        Ok(if payment.status == Status::RequiresPaymentMethod && payment.error_code.is_some() {
            Answer::Declined { problem: payment.declined_problem(), location: None }
        } else {
            Answer::Ok(payment.view())
        })
    }
}
