//! Release authorizations that were not captured in time.

use std::time::Duration;

use florin_kernel::cx::Cx;
use florin_kernel::function::Job;
use florin_kernel::stop::Stop;

use crate::payment::{Payment, Status};
use crate::void_charge::VoidCharge;

/// Cancels payments whose authorization is over.
pub(crate) struct ExpireAuthorizations;

impl Job for ExpireAuthorizations {
    const NAME: &'static str = "payments.expire_authorizations";
    const EVERY: Duration = Duration::from_secs(15 * 60);
    const BATCH: i64 = 100;
    const DUE: &'static str = "SELECT tenant, id
        FROM payments
        WHERE status = 'requires_capture' AND capture_before <= $1
        ORDER BY capture_before, id
        LIMIT $2";

    async fn run(subject: String, cx: &mut Cx) -> Result<(), Stop> {
        let id = subject.parse().map_err(|error| Stop::fault(format!("{subject}: {error}")))?;
        let payment = Payment::lock(cx, id).await?;
        let over = payment.capture_before.is_some_and(|before| before <= cx.now());
        if payment.status != Status::RequiresCapture || !over {
            return Ok(());
        }
        let (payment, held) = payment.cancel(Some("expired".to_owned()))?;
        let payment = payment.save(cx).await?;
        match held {
            Some(charge) => VoidCharge::ask(&payment, charge, cx),
            None => Err(Stop::fault(format!("{id} is authorized without a charge"))),
        }
    }
}
