//! Record what the release of an authorization came to.

use florin_kernel::cx::Cx;
use florin_kernel::function::Record;
use florin_kernel::stop::Stop;

use crate::events::{CANCEL_REFUSED, CANCELED, DECLINED, NEEDS_REVIEW};
use crate::look_up_charge::LookUpCharge;
use crate::payment::{Payment, Status};
use crate::provider::ChangeOutcome;
use crate::record_charge::unresolved;
use crate::refusals::CANCEL_FAILED;
use crate::void_charge::{Because, VoidCharge};

/// The recording command of [`VoidCharge`].
pub(crate) struct RecordVoid;

impl Record for RecordVoid {
    const NAME: &'static str = "payments.record_void";
    type Effect = VoidCharge;

    async fn run(effect: VoidCharge, outcome: ChangeOutcome, cx: &mut Cx) -> Result<(), Stop> {
        let payment = Payment::lock(cx, effect.payment).await?;
        match (payment.status, outcome) {
            (Status::Processing, ChangeOutcome::Done) => {
                let (event, next) = match effect.because {
                    Because::Canceled | Because::Expired => (CANCELED, payment.canceled()),
                    Because::Abandoned => (DECLINED, payment.abandoned()?),
                };
                let next = next.save(cx).await?;
                cx.emit(event, next.id, next.version, &next.changed())
            }
            (Status::Processing, ChangeOutcome::Refused { code }) => {
                let why = format!("The provider refused to release the authorization: {code}.");
                let (event, next) = if payment.amount_capturable == 0 {
                    // The customer decided before the release arrived: the money may be taken, and must not be lost.
                    LookUpCharge::ask(&payment, cx)?;
                    (CANCEL_REFUSED, payment.not_released(CANCEL_FAILED.code, why))
                } else {
                    let next = payment.still_authorized(CANCEL_FAILED.code, why)?;
                    match effect.because {
                        Because::Expired => (NEEDS_REVIEW, next.expires_no_more()),
                        Because::Canceled | Because::Abandoned => (CANCEL_REFUSED, next),
                    }
                };
                let next = next.save(cx).await?;
                cx.emit(event, next.id, next.version, &next.changed())
            }
            (_, _) => {
                let next = payment.needs_review().save(cx).await?;
                cx.emit(NEEDS_REVIEW, next.id, next.version, &next.changed())
            }
        }
    }

    async fn unresolved(effect: VoidCharge, cx: &mut Cx) -> Result<(), Stop> {
        unresolved(Payment::lock(cx, effect.payment).await?, cx).await
    }
}
