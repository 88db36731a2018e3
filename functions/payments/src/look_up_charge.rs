//! Look up what became of a charge that the customer had to authenticate: the provider is asked, the browser is not.

use std::time::Duration;

use florin_kernel::cx::Cx;
use florin_kernel::function::Effect;
use florin_kernel::money::Currency;
use florin_kernel::network::{Parsed, Request, Response};
use florin_kernel::stop::Stop;
use serde::{Deserialize, Serialize};

use crate::payment::{AttemptId, Payment, PaymentId};
use crate::provider::{CARD, ChargeOutcome, charge_outcome, get};

/// A question to the provider.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LookUpCharge {
    pub(crate) payment: PaymentId,
    pub(crate) attempt: AttemptId,
    charge: String,
    amount: i64,
    currency: Currency,
}

impl LookUpCharge {
    /// Asks what became of a payment's charge under its last attempt.
    pub(crate) fn ask(payment: &Payment, cx: &mut Cx) -> Result<(), Stop> {
        let Payment { id, amount, currency, .. } = *payment;
        let (Some(attempt), Some(charge)) = (payment.attempt, payment.charge.clone()) else {
            return Err(Stop::fault(format!("{id} has no charge to ask about")));
        };
        cx.ask(&Self { payment: id, attempt, charge, amount, currency }, id)
    }
}

impl Effect for LookUpCharge {
    const NAME: &'static str = "payments.look_up_charge";
    const PEER: &'static str = CARD;
    const PEER_HONOURS_KEY: bool = true;
    const TIMEOUT: Duration = Duration::from_secs(10);
    const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
    type Outcome = ChargeOutcome;

    fn key(&self) -> String {
        self.attempt.to_string()
    }

    fn build(&self) -> Request {
        get(format!("/v1/charges/{}", self.charge))
    }

    fn parse(&self, _: u32, response: &Response) -> Parsed<ChargeOutcome> {
        match response.status {
            // A lookup that finds nothing says nothing about the charge.
            400..=499 => Parsed::Unknown(format!("the provider answered {}", response.status)),
            _ => charge_outcome(response, self.amount, self.currency.as_str()),
        }
    }
}
