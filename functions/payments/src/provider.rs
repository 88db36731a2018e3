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
        400 | 402 | 404 | 422 => refusal(response, |decline_code| ChargeOutcome::Declined { decline_code }),
        status => Parsed::Unknown(format!("the provider answered {status}")),
    }
}

fn outcome_of(charge: Charge, amount: i64, currency: &str) -> Parsed<ChargeOutcome> {
    let Charge { id, status, decline_code, action_url, .. } = charge;
    // A person who gave a contradicting charge up there is not asked about its amount any more.
    if status != "voided" && (charge.amount != amount || charge.currency != currency) {
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
        400 | 402 | 404 | 409 | 422 => refusal(response, |code| ChangeOutcome::Refused { code }),
        status => Parsed::Unknown(format!("the provider answered {status}")),
    }
}

/// The provider's own error document.
#[derive(Deserialize)]
struct Refusal {
    error: RefusalError,
}

#[derive(Deserialize)]
struct RefusalError {
    code: String,
}

/// What a refusal comes to. A gateway or a firewall on the way says 400 or 404 too, and knows nothing of the money:
/// believed as a refusal, its page would free a refund that was made. Only the provider's document is its word, and
/// not when it speaks of the key: then the request that came first under it may have done everything.
fn refusal<T>(response: &Response, outcome: impl FnOnce(String) -> T) -> Parsed<T> {
    let status = response.status;
    match serde_json::from_slice::<Refusal>(&response.body) {
        Ok(Refusal { error: RefusalError { code } }) if is_final(&code) => Parsed::Outcome(outcome(code)),
        Ok(Refusal { error: RefusalError { code } }) => {
            Parsed::Unknown(format!("the provider answered {status} {code}"))
        }
        Err(_) => Parsed::Unknown(format!("something on the way answered {status}")),
    }
}

/// Whether a code says that the provider decided: neither about the key, nor that it is still at it, nor that there
/// is nothing at the path.
fn is_final(code: &str) -> bool {
    let open =
        ["not_found", "in_progress", "request_in_progress", "lock_timeout", "rate_limit", "rate_limited"];
    !code.is_empty() && !code.starts_with("idempotency_") && !open.contains(&code)
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

    fn changed(status: u16, body: &str) -> Parsed<ChangeOutcome> {
        change_outcome(&Response { status, body: body.into() })
    }

    #[test]
    fn what_is_not_understood_is_unknown_and_never_a_decline() {
        let foreign = [
            "",
            "null",
            "<!doctype html><title>404 Not Found</title>",
            "Request blocked",
            r#"{"message": "no Route matched with those values"}"#,
            r#"{"error": "invalid_request"}"#,
            r#"{"error": {}}"#,
            r#"{"error": {"code": 404}}"#,
            r#"{"error": {"code": null}}"#,
            r#"{"error": {"code": ""}}"#,
            r#"{"error": {"code": "not_found"}}"#,
            r#"{"error": {"code": "idempotency_mismatch"}}"#,
            r#"{"error": {"code": "idempotency_key_in_use"}}"#,
            r#"{"error": {"code": "request_in_progress"}}"#,
        ];
        for status in [400, 401, 402, 403, 404, 409, 422, 429, 500, 503] {
            for body in foreign {
                let response = Response { status, body: body.into() };
                let charge = charge_outcome(&response, 100, "EUR");
                assert!(matches!(charge, Parsed::Unknown(_)), "{status} {body}: {charge:?}");
                assert!(matches!(changed(status, body), Parsed::Unknown(_)), "{status} {body}");
            }
        }
        for body in [Value::Null, Value::String("<html>".to_owned())] {
            assert!(matches!(read(200, body.clone()), Parsed::Unknown(_)), "{body}");
        }
    }

    #[test]
    fn the_providers_own_refusal_is_its_final_word() {
        let body = r#"{"error": {"code": "charge_state_conflict", "message": "A charge that is voided."}}"#;
        for status in [400, 402, 404, 409, 422] {
            let refused = ChangeOutcome::Refused { code: "charge_state_conflict".to_owned() };
            assert!(
                matches!(changed(status, body), Parsed::Outcome(outcome) if outcome == refused),
                "{status}"
            );
        }
        let declined = read(400, serde_json::json!({"error": {"code": "unknown_payment_method"}}));
        assert!(matches!(declined, Parsed::Outcome(ChargeOutcome::Declined { decline_code })
            if decline_code == "unknown_payment_method"));
    }
}
