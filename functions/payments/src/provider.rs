//! How the card provider speaks: its charge, read from a response, compared with what we asked for.

use florin_kernel::network::{Body, Parsed, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The peer's name in the host's configuration.
pub(crate) const CARD: &str = "card";

/// What an attempt to pay came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChargeOutcome {
    /// Taken.
    Succeeded { charge: String },
    /// Reserved.
    Authorized { charge: String },
    /// The customer must authenticate there.
    ActionRequired { charge: String, url: String },
    /// No.
    Declined { decline_code: String },
    /// The provider speaks of another amount or currency than we asked for.
    Contradicts { charge: String },
}

/// What a change of a charge (capture, release, refund) came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChangeOutcome {
    /// Done.
    Done,
    /// The provider refuses, for good.
    Refused { code: String },
}

#[derive(Deserialize)]
struct Charge {
    id: String,
    status: String,
    amount: i64,
    currency: String,
    decline_code: Option<String>,
    action_url: Option<String>,
}

/// A POST of JSON.
pub(crate) fn post(path: String, body: Value) -> Request {
    Request { method: "POST", path, headers: Vec::new(), body: Body::Json(body) }
}

/// A GET.
pub(crate) fn get(path: String) -> Request {
    Request { method: "GET", path, headers: Vec::new(), body: Body::Empty }
}

/// Reads a response that should hold a charge of this amount.
pub(crate) fn charge_outcome(response: &Response, amount: i64, currency: &str) -> Parsed<ChargeOutcome> {
    match response.status {
        200..=299 => match serde_json::from_slice::<Charge>(&response.body) {
            Ok(charge) => outcome_of(charge, amount, currency),
            Err(error) => Parsed::Unknown(format!("the charge does not read: {error}")),
        },
        // The provider understood and will not: an unknown payment method, for example.
        400 | 402 | 404 | 422 => {
            Parsed::Outcome(ChargeOutcome::Declined { decline_code: error_code(response) })
        }
        status => Parsed::Unknown(format!("the provider answered {status}")),
    }
}

fn outcome_of(charge: Charge, amount: i64, currency: &str) -> Parsed<ChargeOutcome> {
    let Charge { id, status, decline_code, action_url, .. } = charge;
    if charge.amount != amount || charge.currency != currency {
        return Parsed::Outcome(ChargeOutcome::Contradicts { charge: id });
    }
    match (status.as_str(), action_url) {
        ("succeeded", _) => Parsed::Outcome(ChargeOutcome::Succeeded { charge: id }),
        ("authorized", _) => Parsed::Outcome(ChargeOutcome::Authorized { charge: id }),
        ("requires_action", Some(url)) => Parsed::Outcome(ChargeOutcome::ActionRequired { charge: id, url }),
        ("declined", _) => Parsed::Outcome(ChargeOutcome::Declined {
            decline_code: decline_code.unwrap_or_else(|| "generic_decline".to_owned()),
        }),
        // Given up at the provider: it takes no money any more.
        ("voided", _) => Parsed::Outcome(ChargeOutcome::Declined { decline_code: "voided".to_owned() }),
        (other, _) => Parsed::Unknown(format!("the charge {id} is {other}")),
    }
}

/// Reads the response to a change of a charge.
pub(crate) fn change_outcome(response: &Response) -> Parsed<ChangeOutcome> {
    match response.status {
        200..=299 => Parsed::Outcome(ChangeOutcome::Done),
        400 | 402 | 404 | 409 | 422 => Parsed::Outcome(ChangeOutcome::Refused { code: error_code(response) }),
        status => Parsed::Unknown(format!("the provider answered {status}")),
    }
}

fn error_code(response: &Response) -> String {
    let body = response.json();
    body["error"]["code"].as_str().unwrap_or("refused_by_provider").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: Value) -> Parsed<ChargeOutcome> {
        charge_outcome(&Response { status, body: body.to_string().into_bytes() }, 100, "EUR")
    }

    #[test]
    fn another_amount_or_currency_contradicts_us() {
        for (amount, currency) in [(99, "EUR"), (100, "USD")] {
            let body = serde_json::json!({"id": "ch", "status": "succeeded", "amount": amount, "currency": currency});
            assert!(matches!(read(200, body), Parsed::Outcome(ChargeOutcome::Contradicts { .. })));
        }
    }

    #[test]
    fn what_is_not_understood_is_unknown_and_never_a_decline() {
        for (status, body) in [(500, Value::Null), (503, Value::Null), (200, Value::Null), (409, Value::Null)]
        {
            assert!(matches!(read(status, body.clone()), Parsed::Unknown(_)), "{status} {body}");
        }
    }
}
