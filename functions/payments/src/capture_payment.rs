//! Capture a payment: take all or part of what was authorized.

use florin_kernel::answer::Answer;
use florin_kernel::cx::{Cx, View};
use florin_kernel::door::{Access, Door};
use florin_kernel::function::Command;
use florin_kernel::money::PositiveMinor;
use florin_kernel::problem::Code;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::capture_charge::CaptureCharge;
use crate::payment::{Payment, PaymentId};
use crate::payment_view::PaymentView;
use crate::refusals::{CAPTURE_EXCEEDS_REMAINING, CAPTURE_FAILED, PAYMENT_NOT_FOUND, PAYMENT_STATE_CONFLICT};

/// Capture an authorized payment, in whole or in part.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CapturePayment {
    /// The payment.
    id: PaymentId,
    /// How much, in minor units; all that is left when not said.
    amount: Option<PositiveMinor>,
    /// Whether this is the last capture: the rest is released.
    #[serde(default = "yes", rename = "final")]
    last: bool,
}

fn yes() -> bool {
    true
}

impl Command for CapturePayment {
    const NAME: &'static str = "payments.capture_payment";
    const DOOR: Door = Door::post("/v1/payments/{id}/capture", Access::Scope("payments:write")).waiting();
    const REFUSES: &'static [Code] =
        &[PAYMENT_NOT_FOUND, PAYMENT_STATE_CONFLICT, CAPTURE_EXCEEDS_REMAINING, CAPTURE_FAILED];
    type Answer = PaymentView;

    async fn run(self, cx: &mut Cx) -> Result<Answer<PaymentView>, Stop> {
        let payment = Payment::lock(cx, self.id).await?;
        cx.about(payment.id);
        let (payment, amount) = payment.capture(self.amount.map(PositiveMinor::get))?;
        let payment = payment.save(cx).await?;
        let Some(charge) = payment.charge.clone() else {
            return Err(Stop::fault(format!("{} is authorized without a charge", payment.id)));
        };
        let effect =
            CaptureCharge { payment: payment.id, capture: cx.new_id(), charge, amount, last: self.last };
        cx.ask(&effect, payment.id)?;
        Ok(Answer::Waiting { subject: payment.id.to_string() })
    }

    async fn answer(cx: &mut View, subject: &str) -> Result<Answer<PaymentView>, Stop> {
        let payment = Payment::of_subject(cx, subject).await?;
        Ok(if payment.error_code.as_deref() == Some(CAPTURE_FAILED.code) {
            let problem = CAPTURE_FAILED
                .because(payment.error_message.clone().unwrap_or_default())
                .with("payment", json!(payment.view()));
            Answer::Declined { problem, location: None }
        } else {
            Answer::Ok(payment.view())
        })
    }
}
