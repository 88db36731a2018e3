//! What was authorized: captured in one part or several, or let go.

use florin_kernel::problem::Problem;
use florin_kernel::stop::Stop;

use super::{Payment, Status};
use crate::refusals::CAPTURE_EXCEEDS_REMAINING;

impl Payment {
    /// requires_capture -> processing: what is being captured is no longer free.
    pub(crate) fn capture(self, amount: Option<i64>) -> Result<(Self, i64), Problem> {
        match self.status {
            Status::RequiresCapture => {}
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction
            | Status::Processing
            | Status::Succeeded
            | Status::Canceled => return Err(self.conflict("captured")),
        }
        let amount = amount.unwrap_or(self.amount_capturable);
        if amount > self.amount_capturable {
            let left = self.amount_capturable;
            return Err(CAPTURE_EXCEEDS_REMAINING
                .because(format!("{amount} is more than the {left} that can be captured"))
                .at("/amount")
                .with("amount_capturable", left));
        }
        Ok((Self { status: Status::Processing, ..self.resolved() }, amount))
    }

    /// processing -> succeeded, or requires_capture while more may come.
    pub(crate) fn captured(self, amount: i64, last: bool) -> Result<Self, Stop> {
        let this = self.answered()?;
        let rest = this.less(this.amount_capturable, amount)?;
        let amount_received = this.more(this.amount_received, amount)?;
        if last || rest == 0 {
            let status = Status::Succeeded;
            return Ok(Self { status, amount_capturable: 0, amount_received, ..this.resolved() });
        }
        Ok(Self { amount_capturable: rest, amount_received, ..this.resolved() }.reserved())
    }

    /// processing -> requires_capture: the provider refused the capture or the release.
    pub(crate) fn still_authorized(self, code: &str, message: String) -> Result<Self, Stop> {
        let this = self.answered()?.resolved();
        let (error_code, error_message) = (Some(code.to_owned()), Some(message));
        Ok(Self { error_code, error_message, ..this }.reserved())
    }

    /// -> requires_capture. What does not expire by itself any more is a person's until it is captured or released.
    fn reserved(self) -> Self {
        Self { status: Status::RequiresCapture, needs_review: self.capture_before.is_none(), ..self }
    }

    /// It does not expire by itself any more: the provider refused, would refuse again, and a person must look.
    pub(crate) fn expires_no_more(self) -> Self {
        Self { capture_before: None, needs_review: true, ..self }
    }

    /// any requires_* -> canceled, or -> processing while the provider releases what it holds; then the charge.
    pub(crate) fn cancel(self, reason: Option<String>) -> Result<(Self, Option<String>), Problem> {
        match self.status {
            Status::RequiresPaymentMethod | Status::RequiresConfirmation => {
                Ok((Self { cancel_reason: reason, ..self }.canceled(), None))
            }
            Status::RequiresAction | Status::RequiresCapture => {
                let charge = self.charge.clone();
                let next = Self { status: Status::Processing, cancel_reason: reason, ..self.resolved() };
                Ok((next, charge))
            }
            Status::Processing | Status::Succeeded | Status::Canceled => Err(self.conflict("canceled")),
        }
    }

    /// -> canceled; what was authorized is free again. What was captured before stays received, and why the last
    /// attempt failed stays known.
    pub(crate) fn canceled(self) -> Self {
        Self {
            status: Status::Canceled,
            amount_capturable: 0,
            action_url: None,
            look_up_at: None,
            needs_review: false,
            ..self
        }
    }

    /// processing, still: nothing was reserved that could be released, and the provider is asked what there is.
    pub(crate) fn not_released(self, code: &str, message: String) -> Self {
        Self { error_code: Some(code.to_owned()), error_message: Some(message), ..self }
    }
}
