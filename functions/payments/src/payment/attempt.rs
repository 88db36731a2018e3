//! One attempt to pay: confirmed, authenticated if the issuer asks for it, and answered by the provider.

use std::time::Duration;

use florin_kernel::problem::Problem;
use florin_kernel::stop::Stop;
use florin_kernel::time::Timestamp;

use super::{AttemptId, Payment, Status};
use crate::payment_method::PaymentMethod;
use crate::refusals::PAYMENT_METHOD_MISSING;
use crate::return_url::ReturnUrl;

/// How long an authorization can be captured; card schemes give about seven days.
const AUTHORIZATION_LASTS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long after the customer was sent to authenticate the provider is asked what became of it.
const LOOK_UPS: [Duration; 5] = [
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 60 * 60),
    Duration::from_secs(8 * 60 * 60),
    AUTHENTICATION_LASTS,
];

/// After so long a customer who has not authenticated is not waited for any more.
const AUTHENTICATION_LASTS: Duration = Duration::from_secs(24 * 60 * 60);

impl Payment {
    /// requires_payment_method, requires_confirmation -> processing, under a new attempt.
    pub(crate) fn confirm(
        self,
        method: Option<PaymentMethod>,
        return_url: Option<ReturnUrl>,
        attempt: AttemptId,
    ) -> Result<Self, Problem> {
        match self.status {
            Status::RequiresPaymentMethod | Status::RequiresConfirmation => {}
            Status::RequiresAction
            | Status::Processing
            | Status::RequiresCapture
            | Status::Succeeded
            | Status::Canceled => return Err(self.conflict("confirmed")),
        }
        let Some(method) = method.map(|m| m.to_string()).or_else(|| self.payment_method.clone()) else {
            return Err(PAYMENT_METHOD_MISSING.because("give payment_method").at("/payment_method"));
        };
        Ok(Self {
            status: Status::Processing,
            payment_method: Some(method),
            return_url: return_url.or_else(|| self.return_url.clone()),
            attempt: Some(attempt),
            action_since: None,
            ..self.resolved()
        })
    }

    /// requires_action -> processing: the customer came back, or was waited for in vain, and the provider is asked.
    pub(crate) fn ask_again(self) -> Result<Self, Problem> {
        match self.status {
            Status::RequiresAction => Ok(Self { status: Status::Processing, look_up_at: None, ..self }),
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::Processing
            | Status::RequiresCapture
            | Status::Succeeded
            | Status::Canceled => Err(self.conflict("asked about")),
        }
    }

    /// processing -> requires_action.
    pub(crate) fn action_required(self, charge: String, url: String, now: Timestamp) -> Result<Self, Stop> {
        let this = self.answered()?;
        let since = this.action_since.unwrap_or(now);
        Ok(Self {
            status: Status::RequiresAction,
            charge: Some(charge),
            action_url: Some(url),
            action_since: Some(since),
            look_up_at: LOOK_UPS.into_iter().map(|after| since.plus(after)).find(|at| *at > now),
            ..this.resolved()
        })
    }

    /// Whether the customer was waited for long enough.
    pub(crate) fn is_abandoned(&self, now: Timestamp) -> bool {
        self.action_since.is_some_and(|since| since.plus(AUTHENTICATION_LASTS) <= now)
    }

    /// processing -> requires_payment_method: the customer never authenticated, and the provider let go.
    pub(crate) fn abandoned(self) -> Result<Self, Stop> {
        Ok(Self {
            status: Status::RequiresPaymentMethod,
            payment_method: None,
            error_code: Some("authentication_abandoned".to_owned()),
            error_message: Some("The customer did not authenticate in time.".to_owned()),
            ..self.answered()?.resolved()
        })
    }

    /// processing -> requires_capture.
    pub(crate) fn authorized(self, charge: String, now: Timestamp) -> Result<Self, Stop> {
        let this = self.answered()?;
        Ok(Self {
            status: Status::RequiresCapture,
            charge: Some(charge),
            amount_capturable: this.amount,
            capture_before: Some(now.plus(AUTHORIZATION_LASTS)),
            ..this.resolved()
        })
    }

    /// processing -> succeeded, all of it.
    pub(crate) fn succeeded(self, charge: String) -> Result<Self, Stop> {
        let this = self.answered()?;
        Ok(Self {
            status: Status::Succeeded,
            charge: Some(charge),
            amount_received: this.amount,
            ..this.resolved()
        })
    }

    /// processing, still: what the provider says of this charge is not what we asked for.
    pub(crate) fn contradicted(self, charge: String) -> Self {
        Self { charge: Some(charge), needs_review: true, ..self }
    }

    /// processing -> requires_payment_method, with the reason.
    pub(crate) fn declined(self, decline_code: &str) -> Result<Self, Stop> {
        Ok(Self {
            status: Status::RequiresPaymentMethod,
            payment_method: None,
            error_code: Some("card_declined".to_owned()),
            decline_code: Some(decline_code.to_owned()),
            error_message: Some("The card was declined.".to_owned()),
            ..self.answered()?.resolved()
        })
    }
}
