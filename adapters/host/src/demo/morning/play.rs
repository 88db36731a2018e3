//! One payment of the morning, played by its story, and held against what the story promises.

use serde_json::{Value, json};

use super::customer::{self, Decision};
use super::plan::{Card, Planned, Story};
use crate::demo::answer::{Payment, Reply};
use crate::demo::api::{Api, Ask, Body, NoAnswer, To};

/// What became of a payment.
pub(super) struct Played {
    /// What was planned.
    pub(super) planned: Planned,
    /// The payment as it ended, and its refunds' identifiers; or why the story broke off.
    pub(super) ended: Result<(Payment, Vec<String>), Broken>,
}

/// Why a story broke off.
#[derive(Debug)]
pub(super) enum Broken {
    /// The suite is away, or does not let us in.
    NoAnswer(NoAnswer),
    /// An answer that the story does not have.
    Unplanned(String),
}

impl From<NoAnswer> for Broken {
    fn from(why: NoAnswer) -> Self {
        Self::NoAnswer(why)
    }
}

impl From<String> for Broken {
    fn from(why: String) -> Self {
        Self::Unplanned(why)
    }
}

/// Plays one payment. `run` makes keys and references those of this run alone.
pub(super) async fn play(api: &Api, run: &str, planned: Planned) -> Played {
    let mut player = Player { api, name: format!("{run}-{}", planned.number), steps: 0, refunds: Vec::new() };
    let ended = player.story(&planned).await.and_then(|payment| {
        hold(&planned, &payment)?;
        Ok((payment, player.refunds))
    });
    Played { planned, ended }
}

struct Player<'a> {
    api: &'a Api,
    name: String,
    steps: u32,
    refunds: Vec<String>,
}

impl Player<'_> {
    async fn story(&mut self, planned: &Planned) -> Result<Payment, Broken> {
        let [half, third, fifth] = planned.parts.map(|part| part.minor);
        match planned.story {
            Story::Paid => self.create(planned, Card::Visa, "automatic").await,
            Story::ConfirmedLater => {
                let payment = self.create_only(planned).await?;
                self.change("confirm", &payment, json!({ "payment_method": "pm_card_visa" })).await
            }
            Story::Captured => {
                let payment = self.create(planned, Card::Visa, "manual").await?;
                self.change("capture", &payment, json!({})).await
            }
            Story::CapturedInPart => {
                let payment = self.create(planned, Card::Visa, "manual").await?;
                self.change("capture", &payment, json!({ "amount": half + third })).await
            }
            Story::CapturedTwiceAndRefunded => {
                let payment = self.create(planned, Card::Visa, "manual").await?;
                let payment =
                    self.change("capture", &payment, json!({ "amount": half, "final": false })).await?;
                let payment = self.change("capture", &payment, json!({ "amount": third })).await?;
                self.refund(&payment, Some(fifth), "one of the items was damaged").await
            }
            Story::Declined(card) => self.declined(planned, card).await,
            Story::DeclinedThenPaid => {
                let payment = self.declined(planned, Card::InsufficientFunds).await?;
                self.change("confirm", &payment, json!({ "payment_method": "pm_card_visa" })).await
            }
            Story::Authenticated => self.authenticated(planned, Decision::Approve).await,
            Story::AuthenticationRefused => self.authenticated(planned, Decision::Refuse).await,
            Story::Canceled => {
                let payment = self.create_only(planned).await?;
                self.change("cancel", &payment, json!({ "reason": "abandoned cart" })).await
            }
            Story::Released => {
                let payment = self.create(planned, Card::Visa, "manual").await?;
                self.change("cancel", &payment, json!({ "reason": "out of stock" })).await
            }
            Story::RefundedInPart => {
                let payment = self.create(planned, Card::Visa, "automatic").await?;
                self.refund(&payment, Some(third), "one of the items came back").await
            }
            Story::RefundedTwice => {
                let payment = self.create(planned, Card::Visa, "automatic").await?;
                let payment = self.refund(&payment, Some(half), "one of the items came back").await?;
                self.refund(&payment, None, "the other items came back").await
            }
        }
    }

    async fn declined(&mut self, planned: &Planned, card: Card) -> Result<Payment, Broken> {
        let reply = self.post("create", "/v1/payments", self.body(planned, card, "automatic")).await?;
        let code = reply.body["decline_code"].as_str();
        if reply.status != 402 || code != card.decline_code() {
            return Err(format!("declined otherwise than its card: {}", reply.said()).into());
        }
        Ok(reply.payment()?)
    }

    async fn authenticated(&mut self, planned: &Planned, decision: Decision) -> Result<Payment, Broken> {
        let payment = self.create(planned, Card::AuthenticationRequired, "automatic").await?;
        customer::authenticate(self.api, payment, decision).await
    }

    fn body(&self, planned: &Planned, card: Card, capture_method: &str) -> Value {
        json!({
            "amount": planned.total.minor,
            "currency": planned.total.currency,
            "capture_method": capture_method,
            "payment_method": card.payment_method(),
            "confirm": true,
            "reference": self.name,
            "description": format!("order {} of the morning", planned.number),
            "metadata": { "demo": "morning" },
            "return_url": customer::SHOP,
        })
    }

    async fn create(&mut self, planned: &Planned, card: Card, method: &str) -> Result<Payment, Broken> {
        Ok(self.post("create", "/v1/payments", self.body(planned, card, method)).await?.payment()?)
    }

    /// A payment that waits for its customer.
    async fn create_only(&mut self, planned: &Planned) -> Result<Payment, Broken> {
        let mut body = self.body(planned, Card::Visa, "automatic");
        body["confirm"] = Value::Bool(false);
        Ok(self.post("create", "/v1/payments", body).await?.payment()?)
    }

    async fn change(
        &mut self,
        verb: &'static str,
        payment: &Payment,
        body: Value,
    ) -> Result<Payment, Broken> {
        let path = format!("/v1/payments/{}/{verb}", payment.id);
        Ok(self.post(verb, &path, body).await?.payment()?)
    }

    async fn refund(&mut self, of: &Payment, amount: Option<i64>, reason: &str) -> Result<Payment, Broken> {
        let mut body = json!({ "payment": of.id, "reason": reason });
        if let Some(amount) = amount {
            body["amount"] = amount.into();
        }
        let reply = self.post("refund", "/v1/refunds", body).await?;
        match (reply.is_yes(), reply.body["status"].as_str(), reply.body["id"].as_str()) {
            (true, Some("succeeded"), Some(id)) => self.refunds.push(id.to_owned()),
            _ => return Err(format!("a refund that did not succeed: {}", reply.said()).into()),
        }
        Ok(self.api.get("get", &format!("/v1/payments/{}", of.id)).await?.payment()?)
    }

    /// One step, under a key of its own.
    async fn post(&mut self, operation: &'static str, path: &str, body: Value) -> Result<Reply, NoAnswer> {
        self.steps += 1;
        let key = format!("{}-{}", self.name, self.steps);
        let body = body.to_string();
        let ask = Ask { operation, to: To::Suite(path), key: Some(&key), body: Body::Json(body.as_bytes()) };
        self.api.ask(&ask).await
    }
}

/// Holds a payment against its story.
fn hold(planned: &Planned, payment: &Payment) -> Result<(), String> {
    let total = planned.total.minor;
    let [half, third, fifth] = planned.parts.map(|part| part.minor);
    let promised = match planned.story {
        Story::Paid
        | Story::ConfirmedLater
        | Story::Captured
        | Story::DeclinedThenPaid
        | Story::Authenticated => ("succeeded", total, 0),
        Story::CapturedInPart => ("succeeded", half + third, 0),
        Story::CapturedTwiceAndRefunded => ("succeeded", half + third, fifth),
        Story::RefundedInPart => ("succeeded", total, third),
        Story::RefundedTwice => ("succeeded", total, total),
        Story::Declined(_) | Story::AuthenticationRefused => ("requires_payment_method", 0, 0),
        Story::Canceled | Story::Released => ("canceled", 0, 0),
    };
    let ended = (payment.status.as_str(), payment.amount_received, payment.amount_refunded);
    if ended == promised && payment.received().currency == planned.total.currency {
        return Ok(());
    }
    Err(format!("{} ended as {ended:?} and not as {promised:?} (status, received, refunded)", payment.id))
}
