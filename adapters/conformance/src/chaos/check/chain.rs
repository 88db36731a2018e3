//! Events of one thing in their order: each begins where the one before ended, and tells of no change but its own.

use serde_json::Value;

use super::told::{number, text};

/// What no change of a payment touches, and none of a refund.
const OF_PAYMENT: [&str; 5] = ["id", "amount", "currency", "reference", "created_at"];
const OF_REFUND: [&str; 5] = ["id", "payment", "amount", "currency", "created_at"];

/// What is wrong with the events of a payment, which are in the order of their sequence.
pub(super) fn of_payment(events: &[&Value]) -> Vec<String> {
    let mut problems = broken("payment", &OF_PAYMENT, events);
    let mut received = 0;
    for event in events {
        let payment = &event["data"]["payment"];
        let now = number(payment, "amount_received");
        let pays =
            matches!(text(event, "name"), "florin.payment.succeeded.v1" | "florin.payment.captured.v1");
        if (now > received) != pays || now < received {
            problems.push(format!("{received} was received before, and {now} after: {event}"));
        }
        let holds = if text(event, "name") == "florin.payment.authorized.v1" { "amount" } else { "" };
        if number(payment, "amount_capturable") != number(payment, holds) {
            problems.push(format!("an amount can be captured that is not what was authorized: {event}"));
        }
        received = now;
    }
    problems
}

/// What is wrong with the events of a refund, which are in the order of their sequence.
pub(super) fn of_refund(events: &[&Value]) -> Vec<String> {
    broken("refund", &OF_REFUND, events)
}

/// Where the chain of events of a thing is broken. A thing that tells its version may change silently, as a payment
/// does while it is processed, but not in these members; any other tells every change.
fn broken(thing: &str, constant: &[&str], events: &[&Value]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut last: Option<(i64, &Value)> = None;
    for event in events {
        let (now, previous) = (&event["data"][thing], &event["data"]["previous"]);
        let sequence = number(event, "sequence");
        if now["version"].as_i64().is_some_and(|version| version != sequence) {
            problems.push(format!("an event of another version: {event}"));
        }
        match last {
            None if sequence == 1 && previous.is_null() => {}
            None => problems.push(format!("the first event is not that of the first version: {event}")),
            Some((told, _)) if told == sequence => {
                problems.push(format!("two events of one version: {event}"));
            }
            Some((told, last)) => {
                let before = before(now, previous);
                let (is_next, may_be_silent) = (told + 1 == sequence, before["version"] == sequence - 1);
                let kept = constant.iter().all(|name| last[name] == now[name]);
                let begins = if is_next { before == *last } else { may_be_silent };
                if !kept || !begins {
                    problems
                        .push(format!("an event that does not begin where the last ended, {last}: {event}"));
                }
            }
        }
        last = Some((sequence, now));
    }
    problems
}

/// The thing before the change: what is told of now, with what the change touched as it was.
fn before(now: &Value, previous: &Value) -> Value {
    let mut before = now.clone();
    for (name, was) in previous.as_object().into_iter().flatten() {
        before[name] = was.clone();
    }
    before
}
