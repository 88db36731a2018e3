//! A payment as callers and events see it.

use florin_kernel::money::Currency;
use florin_kernel::previous::Previous;
use florin_kernel::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::events::PaymentChanged;
use crate::metadata::Metadata;
use crate::payment::{CaptureMethod, Payment, PaymentId, Status};
use crate::return_url::ReturnUrl;

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
    /// Why it was canceled: the merchant's reason, or `expired` when it was not captured in time.
    pub(crate) cancel_reason: Option<String>,
    /// Until when what is authorized can be captured (RFC 3339); then it is released.
    pub(crate) capture_before: Option<Timestamp>,
    /// The charge at the provider, by the provider's own identifier.
    pub(crate) charge: Option<String>,
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
            // While the provider is asked, the page may be over.
            next_action: this
                .action_url
                .filter(|_| this.status == Status::RequiresAction)
                .map(|url| NextAction { kind: "redirect".to_owned(), url }),
            last_error: this.error_code.map(|code| LastError {
                code,
                decline_code: this.decline_code,
                message: this.error_message.unwrap_or_default(),
            }),
            // A cancel that was refused canceled nothing, and what is captured or released has no time to run out.
            cancel_reason: this.cancel_reason.filter(|_| this.status == Status::Canceled),
            capture_before: this.capture_before.filter(|_| this.amount_capturable > 0),
            charge: this.charge,
            needs_review: this.needs_review || this.refunds_in_review > 0,
            created_at: this.created_at,
            updated_at: this.updated_at,
            version: this.version,
        }
    }

    /// As the data of an event.
    pub(crate) fn changed(&self) -> PaymentChanged {
        let payment = self.view();
        PaymentChanged {
            previous: Previous::between(self.found.as_deref().cloned(), payment.clone()),
            payment,
        }
    }

    /// Where it is found.
    pub(crate) fn location(&self) -> String {
        format!("/v1/payments/{}", self.id)
    }
}
