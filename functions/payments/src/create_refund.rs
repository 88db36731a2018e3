//! Refund a payment: pay back all or part of what was received.

use florin_kernel::answer::Answer;
use florin_kernel::cx::{Cx, View};
use florin_kernel::door::{Access, Door};
use florin_kernel::function::Command;
use florin_kernel::money::PositiveMinor;
use florin_kernel::problem::Code;
use florin_kernel::stop::Stop;
use florin_kernel::text::Text;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::events::REFUND_CREATED;
use crate::metadata::Metadata;
use crate::payment::{Payment, PaymentId, Reference};
use crate::reference::{Named, taken};
use crate::refund::{Refund, RefundStatus, RefundView};
use crate::refund_charge::RefundCharge;
use crate::refusals::{
    PAYMENT_NOT_FOUND, PAYMENT_STATE_CONFLICT, REFERENCE_TAKEN, REFUND_EXCEEDS_REMAINING, REFUND_FAILED,
};

/// Refund a payment, in whole or in part.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateRefund {
    /// The payment.
    payment: PaymentId,
    /// How much, in minor units; all that is left when not said.
    amount: Option<PositiveMinor>,
    /// Why.
    #[schemars(example = &"The record was scratched.")]
    reason: Option<Text<255>>,
    /// Your own name for it: unique within the tenant for ever.
    #[schemars(example = &"return-77")]
    reference: Option<Reference>,
    /// Your own entries.
    #[serde(default)]
    metadata: Metadata,
}

impl Command for CreateRefund {
    const NAME: &'static str = "payments.create_refund";
    const DOOR: Door = Door::post("/v1/refunds", Access::Scope("refunds:write")).creating().waiting();
    const REFUSES: &'static [Code] = &[
        PAYMENT_NOT_FOUND,
        PAYMENT_STATE_CONFLICT,
        REFERENCE_TAKEN,
        REFUND_EXCEEDS_REMAINING,
        REFUND_FAILED,
    ];
    type Answer = RefundView;

    async fn run(self, cx: &mut Cx) -> Result<Answer<RefundView>, Stop> {
        let payment = Payment::lock(cx, self.payment).await?;
        cx.about(payment.id);
        let (payment, amount) = payment.refund(self.amount.map(PositiveMinor::get))?;
        let payment = payment.save(cx).await?;
        let refund = Refund {
            id: cx.new_id(),
            payment: payment.id,
            amount,
            currency: payment.currency,
            reason: self.reason.map(|r| r.to_string()),
            reference: self.reference.map(|r| r.to_string()),
            status: RefundStatus::Pending,
            needs_review: false,
            metadata: self.metadata,
            created_at: cx.now(),
            version: 1,
            found: None,
        };
        if !refund.insert(cx).await? {
            return Err(taken(cx, Named::Refund, refund.reference.as_deref()).await?);
        }
        let Some(charge) = payment.charge.clone() else {
            return Err(Stop::fault(format!("{} received an amount without a charge", payment.id)));
        };
        cx.about(refund.id);
        cx.emit(REFUND_CREATED, refund.id, refund.version, &refund.changed())?;
        cx.ask(&RefundCharge { refund: refund.id, charge, amount }, refund.id)?;
        Ok(Answer::Waiting { subject: refund.id.to_string() })
    }

    async fn answer(cx: &mut View, subject: &str) -> Result<Answer<RefundView>, Stop> {
        let id = subject.parse().map_err(|error| Stop::fault(format!("{subject}: {error}")))?;
        let refund = Refund::find(cx, id).await?;
        let location = format!("/v1/refunds/{id}");
        Ok(match refund.status {
            RefundStatus::Pending | RefundStatus::Succeeded => {
                Answer::Created { location, body: refund.view() }
            }
            RefundStatus::Failed => Answer::Declined {
                problem: REFUND_FAILED
                    .because("the provider refused the refund")
                    .with("refund", json!(refund.view())),
                location: Some(location),
            },
        })
    }
}
