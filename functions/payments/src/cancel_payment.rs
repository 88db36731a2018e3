//! Cancel a payment, and release what was reserved.

use florin_kernel::answer::Answer;
use florin_kernel::cx::{Cx, View};
use florin_kernel::door::{Access, Door};
use florin_kernel::function::Command;
use florin_kernel::problem::Code;
use florin_kernel::stop::Stop;
use florin_kernel::text::Text;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::events::CANCELED;
use crate::payment::{Payment, PaymentId};
use crate::payment_view::PaymentView;
use crate::refusals::{CANCEL_FAILED, PAYMENT_NOT_FOUND, PAYMENT_STATE_CONFLICT};
use crate::void_charge::{Because, VoidCharge};

/// Cancel a payment that is not paid.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelPayment {
    /// The payment.
    id: PaymentId,
    /// Why.
    #[schemars(example = &"The customer changed their mind.")]
    reason: Option<Text<255>>,
}

impl Command for CancelPayment {
    const NAME: &'static str = "payments.cancel_payment";
    const DOOR: Door = Door::post("/v1/payments/{id}/cancel", Access::Scope("payments:write")).waiting();
    const REFUSES: &'static [Code] = &[PAYMENT_NOT_FOUND, PAYMENT_STATE_CONFLICT, CANCEL_FAILED];
    type Answer = PaymentView;

    async fn run(self, cx: &mut Cx) -> Result<Answer<PaymentView>, Stop> {
        let payment = Payment::lock(cx, self.id).await?;
        cx.about(payment.id);
        let (payment, held) = payment.cancel(self.reason.map(|r| r.to_string()))?;
        let payment = payment.save(cx).await?;
        match held {
            Some(charge) => {
                VoidCharge::ask(&payment, charge, Because::Canceled, cx)?;
                Ok(Answer::Waiting { subject: payment.id.to_string() })
            }
            None => {
                cx.emit(CANCELED, payment.id, payment.version, &payment.changed())?;
                Ok(Answer::Ok(payment.view()))
            }
        }
    }

    async fn answer(cx: &mut View, subject: &str) -> Result<Answer<PaymentView>, Stop> {
        let payment = Payment::of_subject(cx, subject).await?;
        Ok(if payment.error_code.as_deref() == Some(CANCEL_FAILED.code) {
            let problem = CANCEL_FAILED
                .because(payment.error_message.clone().unwrap_or_default())
                .with("payment", json!(payment.view()));
            Answer::Declined { problem, location: None }
        } else {
            Answer::Ok(payment.view())
        })
    }
}
