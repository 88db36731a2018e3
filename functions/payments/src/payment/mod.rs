//! The noun: a payment, its states, and how it moves from one to the next.

mod attempt;
mod authorization;
mod refunded;
mod row;
mod status;

use std::sync::Arc;

use florin_kernel::id::{Id, Kind};
use florin_kernel::money::Currency;
use florin_kernel::problem::Problem;
use florin_kernel::stop::Stop;
use florin_kernel::text::Text;
use florin_kernel::time::Timestamp;
use serde_json::json;

pub(crate) use self::row::payment_columns;
pub(crate) use self::status::{CaptureMethod, Status};
use crate::metadata::Metadata;
use crate::payment_view::PaymentView;
use crate::refusals::{CARD_DECLINED, PAYMENT_STATE_CONFLICT};
use crate::return_url::ReturnUrl;

/// `pay_...`
pub(crate) enum PaymentKind {}
impl Kind for PaymentKind {
    const PREFIX: &'static str = "pay";
}
/// A payment's identifier.
pub(crate) type PaymentId = Id<PaymentKind>;

/// `att_...`
pub(crate) enum AttemptKind {}
impl Kind for AttemptKind {
    const PREFIX: &'static str = "att";
}
/// The identifier of one attempt to pay; the provider's idempotency key.
pub(crate) type AttemptId = Id<AttemptKind>;

/// The merchant's own name for a thing; unique within the tenant for ever.
pub(crate) type Reference = Text<255>;

/// A payment. Its fields change by the transitions of this module and in no other way.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Payment {
    pub(crate) id: PaymentId,
    pub(crate) status: Status,
    pub(crate) amount: i64,
    pub(crate) amount_capturable: i64,
    pub(crate) amount_received: i64,
    pub(crate) amount_refunded: i64,
    pub(crate) currency: Currency,
    pub(crate) capture_method: CaptureMethod,
    /// A [`crate::payment_method::PaymentMethod`] in its text form.
    pub(crate) payment_method: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) return_url: Option<ReturnUrl>,
    pub(crate) action_url: Option<String>,
    pub(crate) error_code: Option<String>,
    pub(crate) decline_code: Option<String>,
    pub(crate) error_message: Option<String>,
    /// A person must look at the payment itself: at an attempt, a capture or a release.
    pub(crate) needs_review: bool,
    /// How many of its refunds a person must look at. Each says so itself: what becomes of the rest of the payment
    /// says nothing of them.
    pub(crate) refunds_in_review: i64,
    pub(crate) cancel_reason: Option<String>,
    pub(crate) attempt: Option<AttemptId>,
    pub(crate) charge: Option<String>,
    pub(crate) capture_before: Option<Timestamp>,
    /// Since when the customer is waited for, under this attempt.
    pub(crate) action_since: Option<Timestamp>,
    /// When the provider is asked next, were the customer's browser never to come back.
    pub(crate) look_up_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) version: i64,
    /// As it was locked: against this an event says what changed.
    #[sqlx(skip)]
    pub(crate) found: Option<Arc<PaymentView>>,
}

/// What the transitions have in common.
impl Payment {
    fn conflict(&self, verb: &str) -> Problem {
        PAYMENT_STATE_CONFLICT
            .because(format!("a payment that is {} cannot be {verb}", self.status))
            .with("payment_status", self.status.to_string())
    }

    /// processing, and nothing else: what an outcome of the provider's is recorded on.
    fn answered(self) -> Result<Self, Stop> {
        match self.status {
            Status::Processing => Ok(self),
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction
            | Status::RequiresCapture
            | Status::Succeeded
            | Status::Canceled => {
                Err(Stop::fault(format!("{} is {} and waits for no answer", self.id, self.status)))
            }
        }
    }

    fn resolved(self) -> Self {
        Self {
            needs_review: false,
            action_url: None,
            look_up_at: None,
            error_code: None,
            decline_code: None,
            error_message: None,
            ..self
        }
    }

    /// A sum of this payment's amounts; one that does not fit is a fault, like a negative one.
    fn more(&self, amount: i64, other: i64) -> Result<i64, Stop> {
        amount.checked_add(other).ok_or_else(|| Stop::fault(format!("{}: {amount} + {other}", self.id)))
    }

    fn less(&self, amount: i64, other: i64) -> Result<i64, Stop> {
        let rest = amount.checked_sub(other).filter(|rest| *rest >= 0);
        rest.ok_or_else(|| Stop::fault(format!("{}: {amount} - {other}", self.id)))
    }

    /// Says that a person must look; where it stands stays.
    pub(crate) fn needs_review(self) -> Self {
        Self { needs_review: true, ..self }
    }

    /// The 402 of a declined attempt, with the payment inside.
    pub(crate) fn declined_problem(&self) -> Problem {
        CARD_DECLINED
            .because(self.error_message.clone().unwrap_or_default())
            .with("decline_code", json!(self.decline_code))
            .with("payment", json!(self.view()))
    }
}
