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

use crate::events::PaymentChanged;
use crate::metadata::Metadata;
use crate::refusals::{
    CAPTURE_EXCEEDS_REMAINING, PAYMENT_METHOD_MISSING, PAYMENT_NOT_FOUND, PAYMENT_STATE_CONFLICT,
    REFUND_EXCEEDS_REMAINING,
};

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

/// A token of a payment method at the provider.
pub(crate) type PaymentMethod = Text<255>;
/// The merchant's own name for a thing; unique within the tenant for ever.
pub(crate) type Reference = Text<255>;

/// How long an authorization can be captured; card schemes give about seven days.
const AUTHORIZATION_LASTS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

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

/// An absolute `http` or `https` address to send the customer's browser back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReturnUrl(Text<2048>);

impl fmt::Display for ReturnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ReturnUrl {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, &'static str> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
        // What a header cannot hold, or a browser would read otherwise, is refused here.
        let plain =
            text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'"' && b != b'<' && b != b'>');
        match text.parse() {
            Ok(text) if plain && !host.is_empty() && !host.starts_with(['/', '?', '#']) => Ok(Self(text)),
            _ => Err("must be an absolute http or https address of at most 2048 characters"),
        }
    }
}

florin_kernel::text::text_value!(
    ReturnUrl, "uri", "An absolute http or https address.",
    with { "maxLength": 2048, "pattern": r"^https?://[!$-.0-;=@-\[\]-~][!#-;=?-\[\]-~]*$",
           "examples": ["https://shop.example/thanks"] }
);
florin_kernel::text::text_column!(ReturnUrl);

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
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) version: i64,
}

type PaymentMethodColumn = String;

/// Why the last attempt did not succeed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct LastError {
    /// A stable code, for example `card_declined`.
    code: String,
    /// The issuer's reason, for example `insufficient_funds`.
    decline_code: Option<String>,
    /// One sentence.
    message: String,
}

/// What the customer must do next.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct NextAction {
    /// `redirect`: send the customer's browser to `url`.
    #[serde(rename = "type")]
    kind: String,
    /// Where to.
    url: String,
}

/// A payment as callers and events see it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Payment")]
pub(crate) struct PaymentView {
    /// `pay_...`
    pub(crate) id: PaymentId,
    /// Where it stands.
    pub(crate) status: Status,
    /// What is to be paid, in minor units.
    pub(crate) amount: i64,
    /// What can still be captured.
    pub(crate) amount_capturable: i64,
    /// What was received.
    pub(crate) amount_received: i64,
    /// What was paid back, or is being paid back.
    pub(crate) amount_refunded: i64,
    /// ISO 4217.
    pub(crate) currency: Currency,
    /// Taken at once, or authorized first.
    pub(crate) capture_method: CaptureMethod,
    /// The method's token at the provider.
    pub(crate) payment_method: Option<String>,
    /// The merchant's own name for it.
    pub(crate) reference: Option<String>,
    /// For people.
    pub(crate) description: Option<String>,
    /// The merchant's own entries.
    pub(crate) metadata: Metadata,
    /// Where the customer goes after authenticating.
    pub(crate) return_url: Option<ReturnUrl>,
    /// What the customer must do next.
    pub(crate) next_action: Option<NextAction>,
    /// Why the last attempt did not succeed.
    pub(crate) last_error: Option<LastError>,
    /// Whether a person must look: the provider's answer is missing or contradicts ours.
    pub(crate) needs_review: bool,
    /// RFC 3339.
    pub(crate) created_at: Timestamp,
    /// RFC 3339.
    pub(crate) updated_at: Timestamp,
    /// Counts the changes; events carry it as `sequence`.
    pub(crate) version: i64,
}

impl Payment {
    /// The payment with this id in the caller's tenant, whose row nobody else may change meanwhile.
    pub(crate) async fn lock(cx: &mut Cx, id: PaymentId) -> Result<Self, Stop> {
        Self::by_id(
            cx,
            id,
            Sql::each(
                "SELECT id, status, amount, amount_capturable, amount_received, amount_refunded, currency,
                     capture_method, payment_method, reference, description, metadata, return_url, action_url,
                     error_code, decline_code, error_message, needs_review, cancel_reason, attempt, charge,
                     capture_before, created_at, updated_at, version
                 FROM payments
                 WHERE tenant = $1 AND id = $2",
                "SELECT id, status, amount, amount_capturable, amount_received, amount_refunded, currency,
                     capture_method, payment_method, reference, description, metadata, return_url, action_url,
                     error_code, decline_code, error_message, needs_review, cancel_reason, attempt, charge,
                     capture_before, created_at, updated_at, version
                 FROM payments
                 WHERE tenant = $1 AND id = $2
                 FOR UPDATE",
            ),
        )
        .await
    }

    /// The payment with this id in the caller's tenant.
    pub(crate) async fn find(cx: &mut View, id: PaymentId) -> Result<Self, Stop> {
        let sql = "SELECT id, status, amount, amount_capturable, amount_received, amount_refunded, currency,
                 capture_method, payment_method, reference, description, metadata, return_url, action_url,
                 error_code, decline_code, error_message, needs_review, cancel_reason, attempt, charge,
                 capture_before, created_at, updated_at, version
             FROM payments
             WHERE tenant = $1 AND id = $2";
        Self::by_id(cx, id, sql.into()).await
    }

    async fn by_id(cx: &mut View, id: PaymentId, sql: Sql) -> Result<Self, Stop> {
        let tenant = cx.tenant();
        let found = cx.sql(sql).bind(tenant).bind(id).first().await?;
        found.ok_or_else(|| PAYMENT_NOT_FOUND.because(format!("there is no payment {id}")).into())
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
                     attempt = $16, charge = $17, capture_before = $18, updated_at = $19, version = $20
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

    /// As callers and events see it.
    pub(crate) fn view(&self) -> PaymentView {
        let this = self.clone();
        PaymentView {
            id: this.id,
            status: this.status,
            amount: this.amount,
            amount_capturable: this.amount_capturable,
            amount_received: this.amount_received,
            amount_refunded: this.amount_refunded,
            currency: this.currency,
            capture_method: this.capture_method,
            payment_method: this.payment_method,
            reference: this.reference,
            description: this.description,
            metadata: this.metadata,
            return_url: this.return_url,
            next_action: this.action_url.map(|url| NextAction { kind: "redirect".to_owned(), url }),
            last_error: this.error_code.map(|code| LastError {
                code,
                decline_code: this.decline_code,
                message: this.error_message.unwrap_or_default(),
            }),
            needs_review: this.needs_review,
            created_at: this.created_at,
            updated_at: this.updated_at,
            version: this.version,
        }
    }

    /// As the data of an event.
    pub(crate) fn changed(&self) -> PaymentChanged {
        PaymentChanged { payment: self.view() }
    }

    /// Where it is found.
    pub(crate) fn location(&self) -> String {
        format!("/v1/payments/{}", self.id)
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
            ..self.resolved()
        })
    }

    /// requires_action -> processing: the customer came back, and the provider is asked.
    pub(crate) fn ask_again(self) -> Result<Self, Problem> {
        match self.status {
            Status::RequiresAction => Ok(Self { status: Status::Processing, action_url: None, ..self }),
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::Processing
            | Status::RequiresCapture
            | Status::Succeeded
            | Status::Canceled => Err(self.conflict("asked about")),
        }
    }

    /// processing -> requires_action.
    pub(crate) fn action_required(self, charge: String, url: String) -> Self {
        Self {
            status: Status::RequiresAction,
            charge: Some(charge),
            action_url: Some(url),
            ..self.resolved()
        }
    }

    /// processing -> requires_capture.
    pub(crate) fn authorized(self, charge: String, now: Timestamp) -> Self {
        Self {
            status: Status::RequiresCapture,
            charge: Some(charge),
            amount_capturable: self.amount,
            capture_before: Some(now.plus(AUTHORIZATION_LASTS)),
            ..self.resolved()
        }
    }

    /// processing -> succeeded, all of it.
    pub(crate) fn succeeded(self, charge: String) -> Self {
        Self {
            status: Status::Succeeded,
            charge: Some(charge),
            amount_received: self.amount,
            ..self.resolved()
        }
    }

    /// processing -> requires_payment_method, with the reason.
    pub(crate) fn declined(self, decline_code: &str) -> Self {
        Self {
            status: Status::RequiresPaymentMethod,
            payment_method: None,
            error_code: Some("card_declined".to_owned()),
            decline_code: Some(decline_code.to_owned()),
            error_message: Some("The card was declined.".to_owned()),
            ..self.resolved()
        }
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
    pub(crate) fn captured(self, amount: i64, last: bool) -> Self {
        let rest = self.amount_capturable - amount;
        let amount_received = self.amount_received + amount;
        if last || rest == 0 {
            Self { status: Status::Succeeded, amount_capturable: 0, amount_received, ..self.resolved() }
        } else {
            Self {
                status: Status::RequiresCapture,
                amount_capturable: rest,
                amount_received,
                ..self.resolved()
            }
        }
    }

    /// processing -> requires_capture: the provider refused the capture or the release.
    pub(crate) fn still_authorized(self, code: &str, message: String) -> Self {
        Self {
            status: Status::RequiresCapture,
            error_code: Some(code.to_owned()),
            error_message: Some(message),
            ..self.resolved()
        }
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
        Self { status: Status::Canceled, amount_capturable: 0, action_url: None, needs_review: false, ..self }
    }

    /// processing, still: nothing was reserved that could be released, and the provider is asked what there is.
    pub(crate) fn not_released(self, code: &str, message: String) -> Self {
        Self { error_code: Some(code.to_owned()), error_message: Some(message), ..self }
    }

    /// Sets an amount aside for a refund.
    pub(crate) fn refund(self, amount: Option<i64>) -> Result<(Self, i64), Problem> {
        let left = self.amount_received - self.amount_refunded;
        let amount = match amount {
            Some(amount) => amount,
            // A full refund of what is fully refunded asks for more than the nothing that is left.
            None if self.amount_received > 0 => left.max(1),
            None => return Err(self.conflict("refunded")),
        };
        if self.amount_received == 0 {
            return Err(self.conflict("refunded"));
        }
        if amount > left {
            return Err(REFUND_EXCEEDS_REMAINING
                .because(format!("{amount} is more than the {left} that can be refunded"))
                .at("/amount")
                .with("amount_refundable", left));
        }
        Ok((Self { amount_refunded: self.amount_refunded + amount, ..self }, amount))
    }

    /// Gives back what was set aside for a refund that the provider refused.
    pub(crate) fn refund_failed(self, amount: i64) -> Self {
        Self { amount_refunded: self.amount_refunded - amount, ..self }
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
