//! Record what the provider says of a charge it was asked about.

use florin_kernel::cx::Cx;
use florin_kernel::function::Record;
use florin_kernel::stop::Stop;

use crate::look_up_charge::LookUpCharge;
use crate::payment::Payment;
use crate::provider::ChargeOutcome;
use crate::record_charge::{Heard, record, unresolved};

/// The recording command of [`LookUpCharge`].
pub(crate) struct RecordLookUp;

impl Record for RecordLookUp {
    const NAME: &'static str = "payments.record_look_up";
    type Effect = LookUpCharge;

    async fn run(effect: LookUpCharge, outcome: ChargeOutcome, cx: &mut Cx) -> Result<(), Stop> {
        let payment = Payment::lock(cx, effect.payment).await?;
        record(payment, effect.attempt, outcome, Heard::WhenAsked, cx).await
    }

    async fn unresolved(effect: LookUpCharge, cx: &mut Cx) -> Result<(), Stop> {
        unresolved(Payment::lock(cx, effect.payment).await?, cx).await
    }
}
