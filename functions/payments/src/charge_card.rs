//! Charge a card at the provider, or reserve the amount. The attempt's id is the provider's idempotency key.

use std::time::Duration;

use florin_kernel::cx::Cx;
use florin_kernel::function::Effect;
use florin_kernel::money::Currency;
use florin_kernel::network::{PUBLIC, Parsed, Request, Response};
use florin_kernel::stop::Stop;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::payment::{AttemptId, CaptureMethod, Payment, PaymentId};
use crate::provider::{CARD, ChargeOutcome, charge_outcome, post};

/// One attempt to pay.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ChargeCard {
    pub(crate) payment: PaymentId,
    pub(crate) attempt: AttemptId,
    amount: i64,
    currency: Currency,
    payment_method: String,
    capture: bool,
    /// Where the customer's browser comes back to, as every attempt says it, whoever sends it; none in a row of a
    /// release that kept the path alone.
    return_url: Option<String>,
    /// The path of it, for such a release beside this one, which knows nothing else.
    return_path: String,
}

impl ChargeCard {
    /// Writes down the attempt of a payment that was just confirmed, and asks for its charge.
    pub(crate) async fn start(payment: &Payment, cx: &mut Cx) -> Result<(), Stop> {
        let (tenant, now) = (cx.tenant(), cx.now());
        let (Some(attempt), Some(method)) = (payment.attempt, payment.payment_method.clone()) else {
            return Err(Stop::fault(format!("{} is processing without an attempt", payment.id)));
        };
        cx.sql(
            "INSERT INTO payment_attempts (id, tenant, payment, payment_method, started_at)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(attempt)
        .bind(tenant.clone())
        .bind(payment.id)
        .bind(method.clone())
        .bind(now)
        .run()
        .await?;
        let return_path = format!("/v1/returns/{tenant}/{}/{attempt}", payment.id);
        let effect = Self {
            payment: payment.id,
            attempt,
            amount: payment.amount,
            currency: payment.currency,
            payment_method: method,
            capture: payment.capture_method == CaptureMethod::Automatic,
            return_url: Some(cx.address(&return_path)?),
            return_path,
        };
        cx.ask(&effect, payment.id)
    }
}

impl Effect for ChargeCard {
    const NAME: &'static str = "payments.charge_card";
    const PEER: &'static str = CARD;
    const PEER_HONOURS_KEY: bool = true;
    const TIMEOUT: Duration = Duration::from_secs(20);
    const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
    type Outcome = ChargeOutcome;

    fn key(&self) -> String {
        self.attempt.to_string()
    }

    fn build(&self) -> Request {
        let return_url = self.return_url.clone().unwrap_or_else(|| format!("{PUBLIC}{}", self.return_path));
        post(
            "/v1/charges".to_owned(),
            json!({
                "amount": self.amount,
                "currency": self.currency,
                "payment_method": self.payment_method,
                "capture": self.capture,
                "reference": self.payment,
                "return_url": return_url,
            }),
        )
    }

    fn parse(&self, _: u32, response: &Response) -> Parsed<ChargeOutcome> {
        charge_outcome(response, self.amount, self.currency.as_str())
    }
}
