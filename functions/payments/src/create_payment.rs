//! Create a payment, and confirm it at once when asked to.

use florin_kernel::answer::Answer;
use florin_kernel::cx::{Cx, View};
use florin_kernel::door::{Access, Door};
use florin_kernel::function::Command;
use florin_kernel::money::{Currency, PositiveMinor};
use florin_kernel::problem::Code;
use florin_kernel::stop::Stop;
use florin_kernel::text::Text;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::charge_card::ChargeCard;
use crate::events::CREATED;
use crate::metadata::Metadata;
use crate::payment::{CaptureMethod, Payment, Reference, Status};
use crate::payment_method::PaymentMethod;
use crate::payment_view::PaymentView;
use crate::reference::{Named, taken};
use crate::refusals::{CARD_DECLINED, PAYMENT_METHOD_MISSING, REFERENCE_TAKEN};
use crate::return_url::ReturnUrl;

/// Create a payment; with `confirm` it is also confirmed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreatePayment {
    /// What is to be paid, in minor units.
    amount: PositiveMinor,
    /// ISO 4217.
    currency: Currency,
    /// Taken at once, or authorized first.
    #[serde(default)]
    capture_method: CaptureMethod,
    /// The method's token at the provider.
    #[schemars(example = &"pm_card_visa")]
    payment_method: Option<PaymentMethod>,
    /// Confirm at once.
    #[serde(default)]
    confirm: bool,
    /// Your own name for it: unique within the tenant for ever.
    #[schemars(example = &"order-1001")]
    reference: Option<Reference>,
    /// For people.
    #[schemars(example = &"Two records")]
    description: Option<Text<1000>>,
    /// Your own entries.
    #[serde(default)]
    metadata: Metadata,
    /// Where the customer goes after authenticating.
    return_url: Option<ReturnUrl>,
}

impl Command for CreatePayment {
    const NAME: &'static str = "payments.create_payment";
    const DOOR: Door = Door::post("/v1/payments", Access::Scope("payments:write")).creating().waiting();
    const REFUSES: &'static [Code] = &[REFERENCE_TAKEN, PAYMENT_METHOD_MISSING, CARD_DECLINED];
    type Answer = PaymentView;

    async fn run(self, cx: &mut Cx) -> Result<Answer<PaymentView>, Stop> {
        let confirm = self.confirm;
        let mut payment = self.into_payment(cx);
        if confirm {
            payment = payment.confirm(None, None, cx.new_id())?;
        }
        if !payment.insert(cx).await? {
            return Err(taken(cx, Named::Payment, payment.reference.as_deref()).await?);
        }
        cx.emit(CREATED, payment.id, payment.version, &payment.changed())?;
        if confirm {
            ChargeCard::start(&payment, cx).await?;
            return Ok(Answer::Waiting { subject: payment.id.to_string() });
        }
        Ok(Answer::Created { location: payment.location(), body: payment.view() })
    }

    async fn answer(cx: &mut View, subject: &str) -> Result<Answer<PaymentView>, Stop> {
        let payment = Payment::of_subject(cx, subject).await?;
        let location = payment.location();
        Ok(if payment.status == Status::RequiresPaymentMethod && payment.error_code.is_some() {
            Answer::Declined { problem: payment.declined_problem(), location: Some(location) }
        } else {
            Answer::Created { location, body: payment.view() }
        })
    }
}

impl CreatePayment {
    fn into_payment(self, cx: &Cx) -> Payment {
        let status = match &self.payment_method {
            Some(_) => Status::RequiresConfirmation,
            None => Status::RequiresPaymentMethod,
        };
        Payment {
            id: cx.new_id(),
            status,
            amount: self.amount.get(),
            amount_capturable: 0,
            amount_received: 0,
            amount_refunded: 0,
            currency: self.currency,
            capture_method: self.capture_method,
            payment_method: self.payment_method.map(|m| m.to_string()),
            reference: self.reference.map(|r| r.to_string()),
            description: self.description.map(|d| d.to_string()),
            metadata: self.metadata,
            return_url: self.return_url,
            action_url: None,
            error_code: None,
            decline_code: None,
            error_message: None,
            needs_review: false,
            refunds_in_review: 0,
            cancel_reason: None,
            attempt: None,
            charge: None,
            capture_before: None,
            action_since: None,
            look_up_at: None,
            created_at: cx.now(),
            updated_at: cx.now(),
            version: 1,
            found: None,
        }
    }
}
