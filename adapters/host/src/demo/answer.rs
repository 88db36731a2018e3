//! What the demo reads in the suite's answers.

use florin_kernel::money::{Currency, Money};
use serde::Deserialize;
use serde_json::Value;

/// A final answer, or the 202 of an operation that stayed open longer than our patience.
#[derive(Debug)]
pub(super) struct Reply {
    /// The HTTP status code.
    pub(super) status: u16,
    /// The JSON body; null when there is none.
    pub(super) body: Value,
    /// `Location`.
    pub(super) location: Option<String>,
    /// `Idempotency-Replayed`.
    pub(super) replayed: bool,
    /// How often it was asked.
    pub(super) tries: u32,
}

/// The fields of a payment that the demo looks at. Amounts in minor units.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Payment {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) amount_received: i64,
    pub(super) amount_refunded: i64,
    pub(super) currency: Currency,
    pub(super) next_action: Option<NextAction>,
    #[serde(default)]
    pub(super) needs_review: bool,
    pub(super) version: i64,
}

/// Where the customer must go.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct NextAction {
    pub(super) url: String,
}

impl Payment {
    /// What was received.
    pub(super) fn received(&self) -> Money {
        Money::new(self.amount_received, self.currency)
    }
}

impl Reply {
    /// The problem's code; empty when it is no problem.
    pub(super) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Whether it is a yes.
    pub(super) fn is_yes(&self) -> bool {
        matches!(self.status, 200 | 201)
    }

    /// The payment of a yes, or of a declined one's problem.
    pub(super) fn payment(&self) -> Result<Payment, String> {
        let payment = if self.status == 402 { &self.body["payment"] } else { &self.body };
        match Payment::deserialize(payment) {
            Ok(payment) if self.is_yes() || self.status == 402 => Ok(payment),
            Ok(_) | Err(_) => Err(self.said()),
        }
    }

    /// Which field of a refused request is wrong, and what is wrong with it.
    pub(super) fn wrong_field(&self) -> (String, String) {
        let error = &self.body["errors"][0];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let field = text(&error["pointer"]).or_else(|| text(&error["parameter"]));
        let detail = text(&error["detail"]).or_else(|| text(&self.body["detail"]));
        (field.unwrap_or_default(), detail.unwrap_or_else(|| self.said()))
    }

    /// The answer in one line.
    pub(super) fn said(&self) -> String {
        match (self.body["detail"].as_str(), self.body["status"].as_str()) {
            (Some(detail), _) => format!("{} {}: {detail}", self.status, self.code()),
            (None, Some(status)) => format!("{}: the payment is {status}", self.status),
            (None, None) => format!("{} without a body that reads", self.status),
        }
    }
}
