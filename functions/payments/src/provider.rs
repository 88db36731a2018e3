//! How the card provider speaks: its charge, read from a response, compared with what we asked for.

use florin_kernel::network::{Body, Parsed, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::return_url::ReturnUrl;

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
    /// The provider speaks of another amount or currency than we asked for, or took what was to be reserved.
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
    if !is_name(&id) {
        return Parsed::Unknown("the provider's charge has no name that can stand in a path".to_owned());
    }
    let action_url = match action_url.map(|url| url.parse::<ReturnUrl>()) {
        // A merchant sends his customer there.
        Some(Err(_)) => return Parsed::Unknown(format!("the charge {id} names no page to send anybody to")),
        Some(Ok(url)) => Some(url.to_string()),
        None => None,
    };
    // A person who gave a contradicting charge up there is not asked about its amount any more.
    if status != "voided" && (charge.amount != amount || charge.currency != currency) {
        return Parsed::Outcome(ChargeOutcome::Contradicts { charge: id });
    }
    match (status.as_str(), action_url) {
        ("succeeded", _) => Parsed::Outcome(ChargeOutcome::Succeeded { charge: id }),
        ("authorized", _) => Parsed::Outcome(ChargeOutcome::Authorized { charge: id }),
        ("requires_action", Some(url)) => Parsed::Outcome(ChargeOutcome::ActionRequired { charge: id, url }),
        ("declined", _) => Parsed::Outcome(ChargeOutcome::Declined {
            decline_code: decline_code
                .filter(|code| is_name(code))
                .unwrap_or_else(|| "generic_decline".to_owned()),
        }),
        // Given up at the provider: it takes no money any more.
        ("voided", _) => Parsed::Outcome(ChargeOutcome::Declined { decline_code: "voided".to_owned() }),
        (other, _) => Parsed::Unknown(format!("the charge {id} is {other}")),
    }
}

/// The provider's names are ours to put into paths: letters, digits, `_`, `-`, at most 255.
fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// A change of a charge that we ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change<'a> {
    /// Of this charge so much; the last of it or not.
    Capture { charge: &'a str, amount: i64, last: bool },
    /// Of what this charge reserves.
    Void { charge: &'a str },
    /// Of this charge so much.
    Refund { charge: &'a str, amount: i64 },
}

/// A charge or a refund as the answer to a change shows it.
#[derive(Deserialize)]
struct Changed {
    id: String,
    status: String,
    amount: i64,
    amount_captured: Option<i64>,
    charge: Option<String>,
}

impl Change<'_> {
    /// Whether an answer says that this was done.
    fn is_done(self, by: &Changed) -> bool {
        let of = |charge: &str| by.id == charge;
        match self {
            Self::Capture { charge, amount, last } => {
                let status = by.status == "succeeded" || (!last && by.status == "authorized");
                of(charge) && status && by.amount_captured.is_some_and(|captured| captured >= amount)
            }
            Self::Void { charge } => of(charge) && by.status == "voided",
            Self::Refund { charge, amount } => {
                by.charge.as_deref() == Some(charge) && by.amount == amount && by.status == "succeeded"
            }
        }
    }
}

/// Reads the response to a change of a charge. What does not say that it was done is not believed to say so: a page of
/// maintenance comes with 200 too.
pub(crate) fn change_outcome(response: &Response, asked: Change<'_>) -> Parsed<ChangeOutcome> {
    match response.status {
        200..=299 => match serde_json::from_slice::<Changed>(&response.body) {
            Ok(changed) if asked.is_done(&changed) => Parsed::Outcome(ChangeOutcome::Done),
            Ok(changed) => Parsed::Unknown(format!(
                "{asked:?} was answered with {} that is {}",
                changed.id, changed.status
            )),
            Err(error) => Parsed::Unknown(format!("the answer to {asked:?} does not read: {error}")),
        },
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

    const CHANGES: [Change<'static>; 3] = [
        Change::Capture { charge: "ch_1", amount: 100, last: true },
        Change::Void { charge: "ch_1" },
        Change::Refund { charge: "ch_1", amount: 100 },
    ];

    fn changed(status: u16, body: &str) -> Parsed<ChangeOutcome> {
        change_outcome(&Response { status, body: body.into() }, CHANGES[0])
    }

    #[test]
    fn only_an_answer_that_says_so_says_that_a_change_was_done() {
        let charge = |status: &str, captured: i64| serde_json::json!({"id": "ch_1", "status": status, "amount": 500, "amount_captured": captured});
        let refund = |status: &str, amount: i64| serde_json::json!({"id": "re_1", "status": status, "amount": amount, "charge": "ch_1"});
        let part = Change::Capture { charge: "ch_1", amount: 100, last: false };
        let [last, void, refunding] = CHANGES;
        for (asked, body, done) in [
            (last, charge("succeeded", 100), true),
            (last, charge("authorized", 100), false),
            (last, charge("succeeded", 99), false),
            (part, charge("authorized", 100), true),
            (part, charge("voided", 100), false),
            (void, charge("voided", 0), true),
            (void, charge("authorized", 0), false),
            (refunding, refund("succeeded", 100), true),
            (refunding, refund("pending", 100), false),
            (refunding, refund("failed", 100), false),
            (refunding, refund("succeeded", 1), false),
            (refunding, charge("succeeded", 100), false),
        ] {
            let response = Response { status: 200, body: body.to_string().into_bytes() };
            let outcome = change_outcome(&response, asked);
            assert_eq!(matches!(outcome, Parsed::Outcome(ChangeOutcome::Done)), done, "{asked:?} {body}");
            assert_eq!(matches!(outcome, Parsed::Unknown(_)), !done, "{asked:?} {body}");
        }
        for (status, body) in
            [(200, "<html>down for maintenance</html>"), (202, r#"{"status":"pending"}"#), (204, "")]
        {
            for asked in CHANGES {
                let response = Response { status, body: body.into() };
                assert!(matches!(change_outcome(&response, asked), Parsed::Unknown(_)), "{asked:?} {body}");
            }
        }
    }

    #[test]
    fn what_the_provider_names_can_stand_in_a_path_and_a_page_can_be_opened() {
        for id in ["", "../../x?y#z", "a/b", "ch 1", "%2e%2e", &"c".repeat(256)] {
            let body = serde_json::json!({"id": id, "status": "succeeded", "amount": 100, "currency": "EUR"});
            assert!(matches!(read(200, body), Parsed::Unknown(_)), "{id}");
        }
        for url in ["javascript:alert(1)", "", "//evil.example", "data:text/html,x"] {
            let body = serde_json::json!({
                "id": "ch_1", "status": "requires_action", "amount": 100, "currency": "EUR", "action_url": url
            });
            assert!(matches!(read(200, body), Parsed::Unknown(_)), "{url}");
        }
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
