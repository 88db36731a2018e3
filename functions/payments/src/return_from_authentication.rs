//! The customer's browser comes back from authenticating: ask the provider, then send it on to the merchant.

use florin_kernel::answer::Answer;
use florin_kernel::caller::TenantId;
use florin_kernel::cx::{Cx, View};
use florin_kernel::door::{Access, Door, Gives};
use florin_kernel::function::Command;
use florin_kernel::problem::Code;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::look_up_charge::LookUpCharge;
use crate::payment::{AttemptId, Payment, PaymentId, Status};
use crate::refusals::PAYMENT_NOT_FOUND;

/// Where the provider sends the customer's browser after authentication.
///
/// The address is public and trusted with nothing: whoever calls it only makes us ask the provider.
// The one request that lets unknown fields in: providers append parameters of their own to a return address.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ReturnFromAuthentication {
    /// The tenant of the payment.
    #[serde(rename = "tenant")]
    _tenant: TenantId,
    /// The payment.
    id: PaymentId,
    /// The attempt that was authenticated; unguessable.
    attempt: AttemptId,
}

impl Command for ReturnFromAuthentication {
    const NAME: &'static str = "payments.return_from_authentication";
    const DOOR: Door =
        Door::get("/v1/returns/{tenant}/{id}/{attempt}", Access::Public).giving(Gives::Redirect).waiting();
    const REFUSES: &'static [Code] = &[PAYMENT_NOT_FOUND];
    type Answer = ();

    async fn run(self, cx: &mut Cx) -> Result<Answer<()>, Stop> {
        let payment = Payment::lock(cx, self.id).await?;
        if payment.attempt != Some(self.attempt) {
            // In the words of a payment that is not there: which of the two is wrong is nobody's business.
            return Err(Payment::not_found(self.id));
        }
        cx.about(payment.id);
        if payment.status != Status::RequiresAction {
            // The browser came twice, or late: there is nothing left to ask.
            return Ok(onward(&payment));
        }
        let payment = payment.ask_again()?.save(cx).await?;
        LookUpCharge::ask(&payment, cx)?;
        Ok(Answer::Waiting { subject: payment.id.to_string() })
    }

    async fn answer(cx: &mut View, subject: &str) -> Result<Answer<()>, Stop> {
        Ok(onward(&Payment::of_subject(cx, subject).await?))
    }
}

fn onward(payment: &Payment) -> Answer<()> {
    match &payment.return_url {
        Some(url) => {
            let url = url.to_string();
            let (before, fragment) = url.split_once('#').map_or((url.as_str(), None), |(b, f)| (b, Some(f)));
            let joint = if before.contains('?') { '&' } else { '?' };
            let mut to = format!("{before}{joint}payment={}", payment.id);
            if let Some(fragment) = fragment {
                to.push('#');
                to.push_str(fragment);
            }
            Answer::Redirect { to }
        }
        None => Answer::Page(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Payment</title>\
             <p>Thank you. You can close this window.</p></html>"
                .to_owned(),
        ),
    }
}
