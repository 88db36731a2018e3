//! Record what a refund came to; a refused one gives back what was set aside.

use florin_kernel::cx::Cx;
use florin_kernel::function::Record;
use florin_kernel::stop::Stop;

use crate::events::{NEEDS_REVIEW, REFUND_FAILED, REFUND_REFUSED, REFUND_SUCCEEDED, REFUNDED};
use crate::payment::Payment;
use crate::provider::ChangeOutcome;
use crate::refund::{Refund, RefundStatus};
use crate::refund_charge::RefundCharge;

/// The recording command of [`RefundCharge`].
pub(crate) struct RecordRefund;

impl Record for RecordRefund {
    const NAME: &'static str = "payments.record_refund";
    type Effect = RefundCharge;

    async fn run(effect: RefundCharge, outcome: ChangeOutcome, cx: &mut Cx) -> Result<(), Stop> {
        let refund = Refund::find(cx, effect.refund).await?;
        let payment = Payment::lock(cx, refund.payment).await?;
        let status = match outcome {
            ChangeOutcome::Done => RefundStatus::Succeeded,
            ChangeOutcome::Refused { .. } => RefundStatus::Failed,
        };
        let reviewed = refund.needs_review;
        let Some(refund) = refund.settle(status, cx).await? else { return Ok(()) };
        let others_pending = Refund::any_pending(cx, payment.id).await?;
        let payment = payment.refund_settled(reviewed, others_pending);
        match outcome {
            ChangeOutcome::Done => {
                let payment = payment.save(cx).await?;
                cx.emit(REFUND_SUCCEEDED, refund.id, refund.version, &refund.changed())?;
                cx.emit(REFUNDED, payment.id, payment.version, &payment.changed())
            }
            ChangeOutcome::Refused { .. } => {
                let payment = payment.refund_failed(refund.amount)?.save(cx).await?;
                cx.emit(REFUND_FAILED, refund.id, refund.version, &refund.changed())?;
                cx.emit(REFUND_REFUSED, payment.id, payment.version, &payment.changed())
            }
        }
    }

    async fn unresolved(effect: RefundCharge, cx: &mut Cx) -> Result<(), Stop> {
        let refund = Refund::find(cx, effect.refund).await?;
        let payment = Payment::lock(cx, refund.payment).await?;
        refund.flag(cx).await?;
        let next = payment.refund_unresolved(refund.needs_review).save(cx).await?;
        cx.emit(NEEDS_REVIEW, next.id, next.version, &next.changed())
    }
}
