//! Ask the provider about customers who were sent to authenticate and whose browser never came back.

use std::time::Duration;

use florin_kernel::cx::Cx;
use florin_kernel::function::Job;
use florin_kernel::stop::Stop;

use crate::look_up_charge::LookUpCharge;
use crate::payment::{Payment, Status};

/// Asks on a ladder: 5 and 30 minutes, 2, 8 and 24 hours after. The customer may have approved and closed the
/// window, and then the money is taken and nobody here would ever hear of it.
///
/// While the provider is asked the payment is `processing`, as when the browser comes back.
pub(crate) struct LookUpActions;

impl Job for LookUpActions {
    const NAME: &'static str = "payments.look_up_actions";
    const EVERY: Duration = Duration::from_secs(60);
    const BATCH: i64 = 100;
    const DUE: &'static str = "SELECT tenant, id
        FROM payments
        WHERE status = 'requires_action' AND look_up_at <= $1
        ORDER BY look_up_at, id
        LIMIT $2";

    async fn run(subject: String, cx: &mut Cx) -> Result<(), Stop> {
        let id = subject.parse().map_err(|error| Stop::fault(format!("{subject}: {error}")))?;
        let payment = Payment::lock(cx, id).await?;
        let due = payment.look_up_at.is_some_and(|at| at <= cx.now());
        if payment.status != Status::RequiresAction || !due {
            return Ok(());
        }
        let payment = payment.ask_again()?.save(cx).await?;
        LookUpCharge::ask(&payment, cx)
    }
}
