//! Release authorizations that were not captured in time.

use std::time::Duration;

use florin_kernel::cx::Cx;
use florin_kernel::function::Job;
use florin_kernel::stop::Stop;

use crate::events::NEEDS_REVIEW;
use crate::payment::{Payment, Status};
use crate::void_charge::{Because, VoidCharge};

/// Cancels payments whose authorization is over. One whose release the provider refuses is left to a person, and is
/// not due again.
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
        let (next, Some(charge)) = payment.clone().cancel(Some("expired".to_owned()))? else {
            // A fault here would keep it due for ever, before all that came later.
            let next = payment.expires_no_more().save(cx).await?;
            return cx.emit(NEEDS_REVIEW, next.id, next.version, &next.changed());
        };
        let payment = next.save(cx).await?;
        VoidCharge::ask(&payment, charge, Because::Expired, cx)
    }
}
