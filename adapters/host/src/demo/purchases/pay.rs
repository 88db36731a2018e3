//! One purchase, paid once: whatever happened to earlier tries, this run's or another's.

use std::time::Instant;

use florin_kernel::money::{Currency, Money};
use serde::Serialize;
use serde_json::json;

use super::decimal::minor_units;
use super::file::Purchase;
use crate::demo::answer::{Payment, Reply};
use crate::demo::api::{Api, Ask, Body, NoAnswer, To};

const CARD: &str = "pm_card_visa";

/// What became of a purchase.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Paid; `before`: not by this run.
    Paid { received: Money, before: bool },
    /// Not a payment that can be: refused by validation, and nothing was charged.
    Refused { field: String, detail: String },
    /// Neither paid nor refused.
    Unpaid(String),
    /// The suite is away, or does not let us in: the other rows would fare no better.
    NoAnswer(NoAnswer),
}

impl From<NoAnswer> for Outcome {
    fn from(why: NoAnswer) -> Self {
        Self::NoAnswer(why)
    }
}

/// The body of the create. A struct, so that a repeat sends the same bytes under the same key.
#[derive(Serialize)]
struct Create<'a> {
    amount: i64,
    currency: Currency,
    confirm: bool,
    payment_method: &'a str,
    reference: &'a str,
    description: String,
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    customer: &'a str,
    date: &'a str,
    quantity: &'a str,
}

/// Pays one purchase.
pub(super) async fn pay(api: &Api, purchase: &Purchase) -> Outcome {
    let due = match due(purchase) {
        Ok(due) => due,
        Err(refused) => return refused,
    };
    try_to_pay(api, purchase, due).await.unwrap_or_else(|outcome| outcome)
}

/// What is to be paid. What no minor units can say is refused here; what they can, the suite decides.
fn due(purchase: &Purchase) -> Result<Money, Outcome> {
    let fields = &purchase.fields;
    let refused = |field: &str, detail: String| Outcome::Refused { field: field.to_owned(), detail };
    let currency: Currency =
        fields.currency.parse().map_err(|error| refused("/currency", format!("{error}")))?;
    let minor = minor_units(&fields.amount, currency)
        .map_err(|error| refused("/amount", format!("{:?} {error}", fields.amount)))?;
    Ok(Money::new(minor, currency))
}

async fn try_to_pay(api: &Api, purchase: &Purchase, due: Money) -> Result<Outcome, Outcome> {
    let reply = create(api, purchase, due).await?;
    match (reply.status, reply.code()) {
        (200 | 201, _) => {
            // A replay of our own first try, whose answer was lost, is still this run's payment.
            let before = reply.replayed && reply.tries == 1;
            settle(api, purchase, due, reply.payment().map_err(Outcome::Unpaid)?, before).await
        }
        (409, "reference_taken") => {
            let id = reply.body["payment_id"].as_str().unwrap_or_default();
            let payment = get(api, id).await?;
            settle(api, purchase, due, payment, true).await
        }
        // The key stands for other bytes: another release of this program may have made them.
        (422, "idempotency_key_reused") => {
            let payment = by_reference(api, &purchase.key).await?;
            settle(api, purchase, due, payment, true).await
        }
        (_, "invalid_request") => {
            let (field, detail) = reply.wrong_field();
            Ok(Outcome::Refused { field, detail })
        }
        _ => Ok(Outcome::Unpaid(reply.said())),
    }
}

async fn create(api: &Api, purchase: &Purchase, due: Money) -> Result<Reply, Outcome> {
    let fields = &purchase.fields;
    let body = Create {
        amount: due.minor,
        currency: due.currency,
        confirm: true,
        payment_method: CARD,
        reference: &purchase.key,
        description: format!("customer {}, {}, quantity {}", fields.customer, fields.date, fields.quantity),
        metadata: Metadata { customer: &fields.customer, date: &fields.date, quantity: &fields.quantity },
    };
    let body = serde_json::to_vec(&body).map_err(|error| Outcome::Unpaid(error.to_string()))?;
    let to = To::Suite("/v1/payments");
    Ok(api.ask(&Ask { operation: "create", to, key: Some(&purchase.key), body: Body::Json(&body) }).await?)
}

/// Follows the payment of a purchase until it is paid or cannot be. A payment that stands is never made again:
/// it is waited for, or confirmed where it stands.
async fn settle(
    api: &Api,
    purchase: &Purchase,
    due: Money,
    mut payment: Payment,
    mut before: bool,
) -> Result<Outcome, Outcome> {
    if (payment.amount, payment.currency) != (due.minor, due.currency) {
        let other =
            format!("{} has this reference and is of {} {}", payment.id, payment.amount, payment.currency);
        return Ok(Outcome::Unpaid(other));
    }
    let (began, mut looks) = (Instant::now(), 0);
    loop {
        let status = payment.status.as_str();
        match status {
            "succeeded" => return Ok(Outcome::Paid { received: payment.received(), before }),
            "requires_confirmation" | "requires_payment_method" | "processing" => {}
            _ => return Ok(Outcome::Unpaid(format!("{} is {status}", payment.id))),
        }
        if payment.needs_review || began.elapsed() >= api.patience.open {
            let review = if payment.needs_review { " and needs review" } else { "" };
            return Ok(Outcome::Unpaid(format!("{} is still {status}{review}", payment.id)));
        }
        payment = if status == "processing" {
            looks += 1;
            tokio::time::sleep(api.patience.pause(looks, None)).await;
            get(api, &payment.id).await?
        } else {
            before = false;
            confirm(api, purchase, &payment).await?
        };
    }
}

/// Confirms a payment where it stands. The key names the version, so that it stands for this confirm alone.
async fn confirm(api: &Api, purchase: &Purchase, payment: &Payment) -> Result<Payment, Outcome> {
    let path = format!("/v1/payments/{}/confirm", payment.id);
    let key = format!("{}-confirm-{}", purchase.key, payment.version);
    let body = json!({ "payment_method": CARD }).to_string();
    let to = To::Suite(&path);
    let ask = Ask { operation: "confirm", to, key: Some(&key), body: Body::Json(body.as_bytes()) };
    let reply = api.ask(&ask).await?;
    match reply.status {
        200 => reply.payment().map_err(Outcome::Unpaid),
        // Somebody else confirmed it meanwhile: what it came to is what counts.
        409 if reply.code() == "payment_state_conflict" => get(api, &payment.id).await,
        _ => Err(Outcome::Unpaid(reply.said())),
    }
}

async fn get(api: &Api, id: &str) -> Result<Payment, Outcome> {
    api.get("get", &format!("/v1/payments/{id}")).await?.payment().map_err(Outcome::Unpaid)
}

async fn by_reference(api: &Api, reference: &str) -> Result<Payment, Outcome> {
    let mut reply = api.get("list", &format!("/v1/payments?reference={reference}")).await?;
    reply.body = reply.body["data"][0].take();
    reply
        .payment()
        .map_err(|_| Outcome::Unpaid("the key is taken, and no payment has the reference".to_owned()))
}
