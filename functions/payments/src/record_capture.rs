//! Record what a capture came to.

use florin_kernel::cx::Cx;
use florin_kernel::function::Record;
use florin_kernel::stop::Stop;

use crate::capture_charge::CaptureCharge;
use crate::events::{CAPTURE_REFUSED, CAPTURED, NEEDS_REVIEW};
use crate::payment::{Payment, Status};
use crate::provider::ChangeOutcome;
use crate::record_charge::unresolved;
use crate::refusals::CAPTURE_FAILED;

/// The recording command of [`CaptureCharge`].
pub(crate) struct RecordCapture;

impl Record for RecordCapture {
    const NAME: &'static str = "payments.record_capture";
    type Effect = CaptureCharge;

    async fn run(effect: CaptureCharge, outcome: ChangeOutcome, cx: &mut Cx) -> Result<(), Stop> {
        let payment = Payment::lock(cx, effect.payment).await?;
        if payment.status != Status::Processing {
            let next = payment.needs_review().save(cx).await?;
            return cx.emit(NEEDS_REVIEW, next.id, next.version, &next.changed());
        }
        match outcome {
            ChangeOutcome::Done => {
                let next = payment.captured(effect.amount, effect.last)?.save(cx).await?;
                cx.emit(CAPTURED, next.id, next.version, &next.changed())
            }
            ChangeOutcome::Refused { code } => {
                let why = format!("The provider refused the capture: {code}.");
                let next = payment.still_authorized(CAPTURE_FAILED.code, why)?.save(cx).await?;
                cx.emit(CAPTURE_REFUSED, next.id, next.version, &next.changed())
            }
        }
    }

    async fn unresolved(effect: CaptureCharge, cx: &mut Cx) -> Result<(), Stop> {
        unresolved(Payment::lock(cx, effect.payment).await?, cx).await
    }
}
