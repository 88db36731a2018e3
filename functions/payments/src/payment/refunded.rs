//! What was received and is given back: set aside first, so that parallel refunds never exceed it.

use florin_kernel::stop::Stop;

use super::{Payment, Status};
use crate::refusals::REFUND_EXCEEDS_REMAINING;

impl Payment {
    /// Sets an amount aside for a refund.
    pub(crate) fn refund(self, amount: Option<i64>) -> Result<(Self, i64), Stop> {
        let left = self.less(self.amount_received, self.amount_refunded)?;
        let amount = match amount {
            Some(amount) => amount,
            // A full refund of what is fully refunded asks for more than the nothing that is left.
            None if self.amount_received > 0 => left.max(1),
            None => return Err(self.conflict("refunded").into()),
        };
        if self.amount_received == 0 {
            return Err(self.conflict("refunded").into());
        }
        if amount > left {
            return Err(REFUND_EXCEEDS_REMAINING
                .because(format!("{amount} is more than the {left} that can be refunded"))
                .at("/amount")
                .with("amount_refundable", left)
                .into());
        }
        Ok((Self { amount_refunded: self.more(self.amount_refunded, amount)?, ..self }, amount))
    }

    /// Gives back what was set aside for a refund that the provider refused.
    pub(crate) fn refund_failed(self, amount: i64) -> Result<Self, Stop> {
        Ok(Self { amount_refunded: self.less(self.amount_refunded, amount)?, ..self })
    }

    /// A refund was settled, which a person had to look at, or not. The payment's own call for a person goes with the
    /// last one that is pending, unless it is about what is being processed, or about what is reserved and does not
    /// expire: a version before raised it for refunds too.
    pub(crate) fn refund_settled(self, reviewed: bool, others_pending: bool) -> Self {
        let about_more = match self.status {
            Status::Processing => true,
            Status::RequiresCapture => self.capture_before.is_none(),
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction
            | Status::Succeeded
            | Status::Canceled => false,
        };
        Self {
            needs_review: self.needs_review && (others_pending || about_more),
            refunds_in_review: self.refunds_in_review - i64::from(reviewed),
            ..self
        }
    }

    /// A refund's answer stays away: a person must look at it, whatever else becomes of the payment.
    pub(crate) fn refund_unresolved(self, reviewed: bool) -> Self {
        Self { refunds_in_review: self.refunds_in_review + i64::from(!reviewed), ..self }
    }
}
