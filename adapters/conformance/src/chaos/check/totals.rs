//! The provider's totals are those that are listed: of each payment, and of a tenant in each currency.

use std::collections::BTreeMap;

use serde_json::Value;

use super::told::{Told, number, text};

/// Minor units of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    received: i64,
    refunded: i64,
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.received += other.received;
        self.refunded += other.refunded;
    }
}

/// A tenant's sums in one currency: as the provider booked them, as payments list them, and of all refunds.
#[derive(Debug, Default)]
struct Sums {
    booked: Totals,
    listed: Totals,
    refunds: i64,
}

/// The charges among the provider's records of a payment.
fn charges(provider: &Value) -> impl Iterator<Item = &Value> {
    provider["records"].as_array().into_iter().flatten().map(|record| &record["charge"])
}

/// What is wrong with a payment: each of its charges and refunds is of its own money, and the totals that the provider
/// keeps beside its movements are those that the payment lists.
pub(super) fn of_payment(payment: &Value, provider: &Value, refunds: &[&Value]) -> Vec<String> {
    let mut problems = Vec::new();
    let (mut totals, mut held) = (Totals::default(), 0);
    for charge in charges(provider) {
        if charge["amount"] != payment["amount"] {
            problems.push(format!("charged another amount than is listed: {payment} {charge}"));
        }
        if charge["currency"] != payment["currency"] {
            problems.push(format!("charged in another currency than is listed: {payment} {charge}"));
        }
        totals.add(booked(charge));
        if text(charge, "status") == "authorized" {
            held += number(charge, "amount") - number(charge, "amount_captured");
        }
    }
    for refund in refunds.iter().filter(|refund| refund["currency"] != payment["currency"]) {
        problems.push(format!("refunded in another currency than was charged: {payment} {refund}"));
    }
    let listed = listed(payment);
    if totals != listed {
        problems
            .push(format!("the provider's totals are {totals:?} and not {listed:?}: {payment} {provider}"));
    }
    if held != number(payment, "amount_capturable") {
        problems.push(format!("the provider holds {held} that can be captured: {payment} {provider}"));
    }
    problems
}

/// What is wrong with the sums of a tenant. The provider's are over every payment that was made, listed or not.
pub(super) fn of_tenant(told: &Told) -> Vec<String> {
    let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
    for charge in told.provider.values().flat_map(charges) {
        sums.entry(text(charge, "currency")).or_default().booked.add(booked(charge));
    }
    for payment in &told.payments {
        sums.entry(text(payment, "currency")).or_default().listed.add(listed(payment));
    }
    for refund in &told.refunds {
        sums.entry(text(refund, "currency")).or_default().refunds += number(refund, "amount");
    }
    let differs = |sums: &Sums| sums.booked != sums.listed || sums.booked.refunded != sums.refunds;
    let wrong = sums.into_iter().filter(|(_, sums)| differs(sums));
    wrong.map(|(currency, sums)| format!("altogether in {currency}: {sums:?}")).collect()
}

/// What the provider booked for a charge, beside its movements.
fn booked(charge: &Value) -> Totals {
    Totals { received: number(charge, "amount_captured"), refunded: number(charge, "amount_refunded") }
}

/// What a payment lists.
fn listed(payment: &Value) -> Totals {
    Totals { received: number(payment, "amount_received"), refunded: number(payment, "amount_refunded") }
}
