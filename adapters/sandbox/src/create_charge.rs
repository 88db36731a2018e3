//! Create a charge: `POST /v1/charges`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use florin_kernel::db::Tx;
use florin_kernel::money::Currency;
use http::{HeaderMap, StatusCode, Uri};
use serde::Deserialize;
use serde_json::json;

use crate::charge::{Charge, ChargeId, Status};
use crate::failure::Failure;
use crate::idempotency::{At, Operation, Outcome};
use crate::movement::{self, Capture};
use crate::payment_method::{PaymentMethod, UnknownPaymentMethod, Verdict};
use crate::{Sandbox, door, withhold};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    amount: i64,
    currency: Currency,
    payment_method: String,
    #[serde(default = "at_once")]
    capture: bool,
    reference: Option<String>,
    return_url: Option<String>,
}

fn at_once() -> bool {
    true
}

struct CreateCharge {
    amount: i64,
    currency: Currency,
    payment_method: PaymentMethod,
    capture: bool,
    reference: Option<String>,
    return_url: Option<String>,
    /// Not part of what was asked: the same request may arrive by another host name.
    public_base: String,
}

/// `POST /v1/charges`.
pub(crate) async fn create_charge(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    body: door::Body,
) -> Result<Response, Failure> {
    let key = door::idempotency_key(&headers)?;
    let charge = CreateCharge::parse(door::json(body)?, door::public_base(&sandbox, &headers)?)?;
    let payment_method = charge.payment_method;
    let answer = sandbox.once(key, charge).await?;
    // Here the transaction is over: a connection that is kept waiting keeps nobody else waiting.
    match payment_method {
        PaymentMethod::TimeoutAfterCharge if answer.seen == 1 => Ok(withhold::answer(&sandbox).await),
        PaymentMethod::Slow if answer.seen == 1 => {
            withhold::wait(&sandbox, sandbox.0.config.slow).await;
            Ok(answer.into_response())
        }
        _ => Ok(answer.into_response()),
    }
}

impl CreateCharge {
    fn parse(request: Request, public_base: String) -> Result<Self, Failure> {
        Ok(Self {
            amount: door::amount(request.amount)?,
            currency: request.currency,
            payment_method: request.payment_method.parse().map_err(|unknown: UnknownPaymentMethod| {
                Failure::new(StatusCode::BAD_REQUEST, "unknown_payment_method", unknown.to_string())
            })?,
            capture: request.capture,
            reference: request.reference.map(reference).transpose()?,
            return_url: request.return_url.map(return_url).transpose()?,
            public_base,
        })
    }
}

fn reference(text: String) -> Result<String, Failure> {
    if (1..=500).contains(&text.chars().count()) {
        Ok(text)
    } else {
        Err(Failure::invalid("/reference: must have 1 to 500 characters"))
    }
}

/// It becomes a `Location`, so only a web address will do.
fn return_url(text: String) -> Result<String, Failure> {
    let web = text.len() <= 2_000
        && text.parse::<Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        });
    if web { Ok(text) } else { Err(Failure::invalid("/return_url: must be an http or https address")) }
}

impl Operation for CreateCharge {
    fn name(&self) -> String {
        "POST /v1/charges".to_owned()
    }

    fn input(&self) -> String {
        json!({
            "amount": self.amount,
            "currency": self.currency,
            "payment_method": self.payment_method.as_str(),
            "capture": self.capture,
            "reference": self.reference,
            "return_url": self.return_url,
        })
        .to_string()
    }

    fn reference(&self) -> Option<String> {
        self.reference.clone()
    }

    async fn perform(&self, tx: &mut Tx, at: At<'_>) -> Result<Outcome, Failure> {
        if self.payment_method == PaymentMethod::ErrorBeforeCharge && at.seen == 1 {
            return Ok(Outcome::NotTried(Failure::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "provider_unavailable",
                "Nothing was charged; send the request again.",
            )));
        }
        let id: ChargeId = at.new_id();
        let (status, decline_code, action_url) = match self.payment_method.verdict() {
            Verdict::Approved if self.capture => (Status::Succeeded, None, None),
            Verdict::Approved => (Status::Authorized, None, None),
            Verdict::Declined(code) => (Status::Declined, Some(code), None),
            Verdict::Authenticate => {
                (Status::RequiresAction, None, Some(format!("{}/authenticate/{id}", self.public_base)))
            }
        };
        let captured = if status == Status::Succeeded { self.amount } else { 0 };
        let charge: Charge = tx
            .sql(
                "INSERT INTO charges (id, status, amount, amount_captured, currency, payment_method, capture,
                     decline_code, action_url, reference, return_url, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                 RETURNING *",
            )
            .bind(id)
            .bind(status)
            .bind(self.amount)
            .bind(captured)
            .bind(self.currency)
            .bind(self.payment_method)
            .bind(self.capture)
            .bind(decline_code)
            .bind(action_url)
            .bind(self.reference.clone())
            .bind(self.return_url.clone())
            .bind(at.now)
            .one()
            .await?;
        if captured > 0 {
            movement::record(tx, at.new_id::<Capture>(), id, captured, at.now).await?;
        }
        Outcome::done(id, &charge)
    }
}
