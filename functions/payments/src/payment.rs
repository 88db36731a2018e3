//! The noun: a payment, its states, and how it moves from one to the next.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use florin_kernel::cx::{Cx, View};
use florin_kernel::db::{DbError, Sql, Trouble};
use florin_kernel::id::{Id, Kind};
use florin_kernel::money::Currency;
use florin_kernel::problem::Problem;
use florin_kernel::stop::Stop;
use florin_kernel::text::Text;
use florin_kernel::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::metadata::Metadata;
use crate::payment_method::PaymentMethod;
use crate::refusals::{
    CAPTURE_EXCEEDS_REMAINING, PAYMENT_METHOD_MISSING, PAYMENT_NOT_FOUND, PAYMENT_STATE_CONFLICT,
    REFUND_EXCEEDS_REMAINING,
};
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

/// Where a payment stands (the states of a Stripe PaymentIntent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Succeeded,
    Canceled,
}

const STATUSES: [(Status, &str); 7] = [
    (Status::RequiresPaymentMethod, "requires_payment_method"),
    (Status::RequiresConfirmation, "requires_confirmation"),
    (Status::RequiresAction, "requires_action"),
    (Status::Processing, "processing"),
    (Status::RequiresCapture, "requires_capture"),
    (Status::Succeeded, "succeeded"),
    (Status::Canceled, "canceled"),
];

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STATUSES[*self as usize].1)
    }
}

impl FromStr for Status {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = STATUSES.iter().find(|(_, name)| *name == text);
        found.map(|(status, _)| *status).ok_or_else(|| format!("{text} is not a payment's status"))
    }
}

/// Whether a confirmed payment is taken at once or only authorized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum CaptureMethod {
    /// Taken at once.
    #[default]
    Automatic,
    /// Authorized, and captured by another call.
    Manual,
}

impl fmt::Display for CaptureMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Automatic => "automatic",
            Self::Manual => "manual",
        })
    }
}

impl FromStr for CaptureMethod {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "automatic" => Ok(Self::Automatic),
            "manual" => Ok(Self::Manual),
            _ => Err(format!("{text} is not a capture method")),
        }
    }
}

florin_kernel::text::text_column!(Status);
florin_kernel::text::text_column!(CaptureMethod);

/// The columns of a [`Payment`]. A macro, because `concat!` takes no constant.
macro_rules! payment_columns {
    () => {
        "id, status, amount, amount_capturable, amount_received, amount_refunded, currency, capture_method, \
         payment_method, reference, description, metadata, return_url, action_url, error_code, decline_code, \
         error_message, needs_review, cancel_reason, attempt, charge, capture_before, action_since, look_up_at, \
         created_at, updated_at, version"
    };
}
pub(crate) use payment_columns;

/// The one payment of a tenant.
macro_rules! payment_by_id {
    () => {
        concat!("SELECT ", payment_columns!(), " FROM payments WHERE tenant = $1 AND id = $2")
    };
}

/// A payment. Its fields change by the transitions below and in no other way.
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
    pub(crate) payment_method: Option<PaymentMethodColumn>,
    pub(crate) reference: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) return_url: Option<ReturnUrl>,
    pub(crate) action_url: Option<String>,
    pub(crate) error_code: Option<String>,
    pub(crate) decline_code: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) needs_review: bool,
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
}

type PaymentMethodColumn = String;

impl Payment {
    /// The payment with this id in the caller's tenant, whose row nobody else may change meanwhile.
    pub(crate) async fn lock(cx: &mut Cx, id: PaymentId) -> Result<Self, Stop> {
        // SQLite has one writer, and no words for this.
        Self::by_id(cx, id, Sql::each(payment_by_id!(), concat!(payment_by_id!(), " FOR UPDATE"))).await
    }

    /// The payment with this id in the caller's tenant.
    pub(crate) async fn find(cx: &mut View, id: PaymentId) -> Result<Self, Stop> {
        Self::by_id(cx, id, payment_by_id!().into()).await
    }

    async fn by_id(cx: &mut View, id: PaymentId, sql: Sql) -> Result<Self, Stop> {
        let tenant = cx.tenant();
        let found = cx.sql(sql).bind(tenant).bind(id).first().await?;
        found.ok_or_else(|| Self::not_found(id))
    }

    /// The refusal of a payment that is not there, or of which the caller may not know that it is.
    pub(crate) fn not_found(id: PaymentId) -> Stop {
        PAYMENT_NOT_FOUND.because(format!("there is no payment {id}")).into()
    }

    /// The payment that an operation is about.
    pub(crate) async fn of_subject(cx: &mut View, subject: &str) -> Result<Self, Stop> {
        let id = subject.parse().map_err(|error| Stop::fault(format!("{subject}: {error}")))?;
        Self::find(cx, id).await
    }

    /// Writes a new payment; false when its reference is taken.
    pub(crate) async fn insert(&self, cx: &mut Cx) -> Result<bool, Stop> {
        let tenant = cx.tenant();
        let rows = cx
            .sql(
                "INSERT INTO payments
                     (id, tenant, status, amount, amount_capturable, amount_received, amount_refunded, currency,
                      capture_method, payment_method, reference, description, metadata, return_url,
                      needs_review, attempt, created_at, updated_at, version)
                 VALUES ($1, $2, $3, $4, 0, 0, 0, $5, $6, $7, $8, $9, $10, $11, false, $12, $13, $13, 1)
                 ON CONFLICT (tenant, reference) DO NOTHING",
            )
            .bind(self.id)
            .bind(tenant)
            .bind(self.status)
            .bind(self.amount)
            .bind(self.currency)
            .bind(self.capture_method)
            .bind(self.payment_method.clone())
            .bind(self.reference.clone())
            .bind(self.description.clone())
            .bind(self.metadata.clone())
            .bind(self.return_url.clone())
            .bind(self.attempt)
            .bind(self.created_at)
            .run()
            .await?;
        Ok(rows == 1)
    }

    /// Writes the next version, if the one it came from still stands.
    pub(crate) async fn save(mut self, cx: &mut Cx) -> Result<Self, Stop> {
        let (tenant, before) = (cx.tenant(), self.version);
        self.version += 1;
        self.updated_at = cx.now();
        let rows = cx
            .sql(
                "UPDATE payments
                 SET status = $4, amount_capturable = $5, amount_received = $6, amount_refunded = $7,
                     payment_method = $8, return_url = $9, action_url = $10, error_code = $11,
                     decline_code = $12, error_message = $13, needs_review = $14, cancel_reason = $15,
                     attempt = $16, charge = $17, capture_before = $18, action_since = $19, look_up_at = $20,
                     updated_at = $21, version = $22
                 WHERE tenant = $1 AND id = $2 AND version = $3",
            )
            .bind(tenant)
            .bind(self.id)
            .bind(before)
            .bind(self.status)
            .bind(self.amount_capturable)
            .bind(self.amount_received)
            .bind(self.amount_refunded)
            .bind(self.payment_method.clone())
            .bind(self.return_url.clone())
            .bind(self.action_url.clone())
            .bind(self.error_code.clone())
            .bind(self.decline_code.clone())
            .bind(self.error_message.clone())
            .bind(self.needs_review)
            .bind(self.cancel_reason.clone())
            .bind(self.attempt)
            .bind(self.charge.clone())
            .bind(self.capture_before)
            .bind(self.action_since)
            .bind(self.look_up_at)
            .bind(self.updated_at)
            .bind(self.version)
            .run()
            .await?;
        if rows == 1 {
            Ok(self)
        } else {
            Err(DbError::said(Trouble::Contended, "another change of this payment came between").into())
        }
    }

    fn conflict(&self, verb: &str) -> Problem {
        PAYMENT_STATE_CONFLICT
            .because(format!("a payment that is {} cannot be {verb}", self.status))
            .with("payment_status", self.status.to_string())
    }

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
        let (status, amount_capturable) =
            if last || rest == 0 { (Status::Succeeded, 0) } else { (Status::RequiresCapture, rest) };
        Ok(Self { status, amount_capturable, amount_received, ..this.resolved() })
    }

    /// processing -> requires_capture: the provider refused the capture or the release.
    pub(crate) fn still_authorized(self, code: &str, message: String) -> Result<Self, Stop> {
        Ok(Self {
            status: Status::RequiresCapture,
            error_code: Some(code.to_owned()),
            error_message: Some(message),
            ..self.answered()?.resolved()
        })
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

    /// A sum of this payment's amounts; one that does not fit is a fault, like a negative one.
    fn more(&self, amount: i64, other: i64) -> Result<i64, Stop> {
        amount.checked_add(other).ok_or_else(|| Stop::fault(format!("{}: {amount} + {other}", self.id)))
    }

    fn less(&self, amount: i64, other: i64) -> Result<i64, Stop> {
        let rest = amount.checked_sub(other).filter(|rest| *rest >= 0);
        rest.ok_or_else(|| Stop::fault(format!("{}: {amount} - {other}", self.id)))
    }

    /// A refund was settled. The call for a person goes with the last one that is pending, unless it is about what
    /// is being processed.
    pub(crate) fn refund_settled(self, others_pending: bool) -> Self {
        let needs_review = self.needs_review && (others_pending || self.status == Status::Processing);
        Self { needs_review, ..self }
    }

    /// Says that a person must look; where it stands stays.
    pub(crate) fn needs_review(self) -> Self {
        Self { needs_review: true, ..self }
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

    /// The 402 of a declined attempt, with the payment inside.
    pub(crate) fn declined_problem(&self) -> Problem {
        crate::refusals::CARD_DECLINED
            .because(self.error_message.clone().unwrap_or_default())
            .with("decline_code", json!(self.decline_code))
            .with("payment", json!(self.view()))
    }
}
