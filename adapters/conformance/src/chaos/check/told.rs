//! What the interfaces of one tenant told, and whether it agrees with itself and with what its clients know.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{chain, totals};
use crate::chaos::books::{Known, Range};
use crate::chaos::sink::Place;
use crate::tally;

/// The card whose charges wait for the customer.
const AUTHENTICATED: &str = "pm_card_authentication_required";

/// One tenant's state as its interfaces tell it.
#[derive(Clone)]
pub(crate) struct Told {
    pub(super) payments: Vec<Value>,
    pub(super) refunds: Vec<Value>,
    /// The audit records.
    pub(super) records: Vec<Value>,
    /// How often each event was counted.
    pub(super) tallies: Vec<Value>,
    /// The provider's record of each payment.
    pub(super) provider: BTreeMap<String, Value>,
}

/// The audit records of each resource.
struct Records<'t>(BTreeMap<&'t str, Vec<&'t Value>>);

pub(super) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

pub(super) fn number(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap_or_default()
}

fn place(record: &Value) -> Place {
    (text(record, "source").to_owned(), text(record, "event_id").to_owned())
}

impl Told {
    /// The events that were recorded.
    pub(super) fn events(&self) -> BTreeSet<Place> {
        self.records.iter().map(place).collect()
    }

    /// All that does not agree.
    pub(super) fn wrong(&self, known: &[&Known]) -> Vec<String> {
        let (mut problems, mut places) = (Vec::new(), BTreeSet::new());
        let mut records = Records(BTreeMap::new());
        for record in &self.records {
            if !places.insert(place(record)) {
                problems.push(format!("recorded twice: {record}"));
            }
            records.0.entry(text(record, "resource")).or_default().push(record);
        }
        for payment in &self.payments {
            let provider = self.provider.get(text(payment, "id")).unwrap_or(&Value::Null);
            let refunds = self.refunds.iter().filter(|refund| text(refund, "payment") == text(payment, "id"));
            let refunds: Vec<&Value> = refunds.collect();
            problems.extend(payment_problems(payment, provider, &refunds, &records));
            problems.extend(totals::of_payment(payment, provider, &refunds));
        }
        problems.extend(totals::of_tenant(self));
        problems.extend(self.refunds.iter().flat_map(|refund| refund_problems(refund, &records)));
        problems.extend(self.gone());
        problems.extend(self.miscounted());
        problems.extend(self.against_the_books(known, &records));
        problems.extend(self.refused_to_create(known));
        problems
    }

    /// Whoever was refused a payment has none, so the records of that are compared for all clients together.
    fn refused_to_create(&self, known: &[&Known]) -> Option<String> {
        let mut range = Range::exactly(0);
        for refused in known.iter().filter_map(|known| known.refused.get("create_payment")) {
            range.least += refused.least;
            range.most += refused.most;
        }
        let refused = |record: &&Value| {
            text(record, "name") == "payments.create_payment" && text(record, "outcome") == "refused"
        };
        let refused = i64::try_from(self.records.iter().filter(refused).count()).unwrap_or(i64::MAX);
        (!range.holds(refused)).then(|| format!("create_payment refused: {refused} instead of {range}"))
    }

    /// What was made, as its event says, and is not listed any more.
    fn gone(&self) -> Vec<String> {
        let listed: BTreeSet<&str> =
            self.payments.iter().chain(&self.refunds).map(|thing| text(thing, "id")).collect();
        let made = self.records.iter().filter(|record| {
            matches!(text(record, "name"), "florin.payment.created.v1" | "florin.refund.created.v1")
        });
        let gone = made.filter(|record| !listed.contains(text(record, "resource")));
        gone.map(|record| format!("made and not listed: {record}")).collect()
    }

    /// Each event is counted once, by whoever does not notice a repetition, and after as many attempts as it was to
    /// take.
    fn miscounted(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut tallies: BTreeMap<Place, &Value> =
            self.tallies.iter().map(|tally| (place(tally), tally)).collect();
        for record in self.records.iter().filter(|record| tally::is_counted(text(record, "name"))) {
            let Some(tally) = tallies.remove(&place(record)) else {
                problems.push(format!("not tallied: {record}"));
                continue;
            };
            if number(tally, "times") != 1 {
                problems.push(format!("tallied {} times: {record}", number(tally, "times")));
            }
            if number(tally, "attempts") <= number(tally, "retries") {
                problems.push(format!("an attempt was not counted: {tally}: {record}"));
            }
        }
        problems.extend(tallies.values().map(|tally| format!("tallied and not recorded: {tally}")));
        problems
    }

    /// What clients were told has to be so, and nothing else.
    fn against_the_books(&self, known: &[&Known], records: &Records<'_>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut by_reference: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for payment in &self.payments {
            by_reference.entry(text(payment, "reference")).or_default().push(payment);
        }
        for known in known {
            let found = by_reference.remove(known.reference.as_str()).unwrap_or_default();
            problems.extend(known_problems(known, &found, &self.refunds, records));
        }
        for (reference, payments) in by_reference {
            problems.push(format!("nobody asked for {reference}: {payments:?}"));
        }
        problems
    }
}

impl Records<'_> {
    /// The events recorded of a resource, in their order.
    fn events_of(&self, resource: &str) -> Vec<&Value> {
        let all = self.0.get(resource).into_iter().flatten().copied();
        let mut events: Vec<&Value> = all.filter(|record| text(record, "kind") == "event").collect();
        events.sort_by_key(|record| number(record, "sequence"));
        events
    }

    /// The events recorded of a resource under this name.
    fn events(&self, resource: &str, name: &str) -> i64 {
        let name = format!("florin.{name}.v1");
        self.count(resource, |record| text(record, "kind") == "event" && text(record, "name") == name)
    }

    /// The operations recorded of a resource under this name that were done or begun.
    fn operations(&self, resource: &str, name: &str) -> i64 {
        let name = format!("payments.{name}");
        self.count(resource, |record| {
            text(record, "kind") == "operation"
                && text(record, "name") == name
                && matches!(text(record, "outcome"), "succeeded" | "accepted" | "declined")
        })
    }

    /// The operations recorded of a resource under this name that were refused.
    fn refusals(&self, resource: &str, name: &str) -> i64 {
        let name = format!("payments.{name}");
        self.count(resource, |record| {
            text(record, "name") == name && matches!(text(record, "outcome"), "refused" | "failed")
        })
    }

    fn count(&self, resource: &str, wanted: impl Fn(&Value) -> bool) -> i64 {
        let all = self.0.get(resource).into_iter().flatten();
        i64::try_from(all.filter(|record| wanted(record)).count()).unwrap_or(i64::MAX)
    }
}

/// Provider = payment = events = audit, for one payment.
fn payment_problems(
    payment: &Value,
    provider: &Value,
    refunds: &[&Value],
    records: &Records<'_>,
) -> Vec<String> {
    let (id, status) = (text(payment, "id"), text(payment, "status"));
    let mut problems = Vec::new();
    let mut same = |what: &str, one: i64, other: i64| {
        if one != other {
            problems.push(format!("{id} ({status}): {what}: {one} and {other}: {payment} {provider}"));
        }
    };
    let charges: Vec<&Value> = provider["records"].as_array().into_iter().flatten().collect();
    let sum = |kind: &str, what: &str| charges.iter().map(|record| number(&record[kind], what)).sum::<i64>();
    let in_status = |wanted: &str| {
        let fits = charges.iter().filter(|record| text(&record["charge"], "status") == wanted).count();
        i64::try_from(fits).unwrap_or(i64::MAX)
    };
    let events = |name: &str| records.events(id, name);

    same("is processing", i64::from(status == "processing"), 0);
    same("needs review", i64::from(payment["needs_review"] == true), 0);
    same("captured and received", sum("captures", "amount"), number(payment, "amount_received"));
    same("paid back and refunded", sum("refunds", "amount"), number(payment, "amount_refunded"));
    let refunded = refunds.iter().map(|refund| number(refund, "amount")).sum();
    same("all its refunds, and refunded", refunded, number(payment, "amount_refunded"));
    same(
        "charges that hold or took money, and a status that says so",
        in_status("succeeded"),
        i64::from(status == "succeeded"),
    );
    same(
        "charges authorized, and requires_capture",
        in_status("authorized"),
        i64::from(status == "requires_capture"),
    );
    same(
        "charges that wait, and requires_action",
        in_status("requires_action"),
        i64::from(status == "requires_action"),
    );
    let manual = if text(payment, "capture_method") == "manual" { 1 } else { 0 };
    same(
        "charges authorized first, and payment.authorized",
        manual * (in_status("authorized") + in_status("succeeded") + in_status("voided")),
        events("payment.authorized"),
    );
    let asked = charges.iter().filter(|record| text(&record["charge"], "payment_method") == AUTHENTICATED);
    let asked = i64::try_from(asked.count()).unwrap_or(i64::MAX);
    same(
        "charges that the customer had to approve, and payment.action_required",
        asked,
        events("payment.action_required"),
    );
    same("charges declined, and payment.declined", in_status("declined"), events("payment.declined"));
    same(
        "captures, and payment.succeeded or captured",
        sum("captures", "count"),
        events("payment.succeeded") + events("payment.captured"),
    );
    same("refunds, and payment.refunded", sum("refunds", "count"), events("payment.refunded"));
    same("canceled, and payment.canceled", i64::from(status == "canceled"), events("payment.canceled"));
    same("charges voided, and releases", in_status("voided"), sum("voids", "count"));
    same("payment.created", events("payment.created"), 1);
    same("create_payment", records.operations(id, "create_payment"), 1);
    same("keys that the provider saw with another request", mismatched(provider), 0);

    // What an effect came to is recorded once.
    let operations = |name: &str| records.operations(id, name);
    let made = i64::try_from(charges.len()).unwrap_or(i64::MAX);
    same("charges, and record_charge", made, operations("record_charge"));
    same("payment.captured, and record_capture", events("payment.captured"), operations("record_capture"));
    same("releases, and record_void", sum("voids", "count"), operations("record_void"));
    let looked_up = operations("record_look_up");
    let returns = operations("return_from_authentication");
    same(
        "look-ups without record_look_up, and record_look_up without a look-up",
        (returns_that_asked(records, id) - looked_up).max(0),
        (looked_up - returns - operations("look_up_actions")).max(0),
    );

    // Whatever is asked for changes the payment, and what comes of it does so again and is told, except that a
    // customer has still not decided.
    let told = records.count(id, |record| text(record, "kind") == "event");
    let begun = ["confirm_payment", "capture_payment", "cancel_payment"].map(operations).iter().sum::<i64>();
    let asked_back = asked * (events("payment.succeeded") + events("payment.declined"));
    same(
        "its version, and the changes that were told or asked for",
        number(payment, "version"),
        told + begun + i64::try_from(refunds.len()).unwrap_or(i64::MAX) + 2 * looked_up - asked_back,
    );

    let newest = records.events_of(id).pop();
    let (newest, version) = (newest.map(|record| &record["data"]["payment"]), number(payment, "version"));
    if newest.map(told_of) != Some(told_of(payment)) {
        problems.push(format!(
            "{id}: its last event is not what it is now, version {version}: {newest:?} {payment}"
        ));
    }
    problems.extend(chain::of_payment(&records.events_of(id)));
    problems
}

/// How often a browser that came back made us ask the provider.
fn returns_that_asked(records: &Records<'_>, payment: &str) -> i64 {
    records.count(payment, |record| {
        text(record, "name") == "payments.return_from_authentication" && text(record, "outcome") == "accepted"
    })
}

/// A payment as its event tells it. To ask the provider once more about a customer who still has to authenticate
/// counts as a change of the row, and nothing happened that could be told.
fn told_of(payment: &Value) -> Value {
    let mut payment = payment.clone();
    if text(&payment, "status") == "requires_action" {
        payment["version"] = Value::Null;
        payment["updated_at"] = Value::Null;
    }
    payment
}

fn mismatched(provider: &Value) -> i64 {
    provider["requests"].as_array().into_iter().flatten().map(|request| number(request, "mismatched")).sum()
}

fn refund_problems(refund: &Value, records: &Records<'_>) -> Vec<String> {
    let id = text(refund, "id");
    let fits = text(refund, "status") == "succeeded"
        && records.events(id, "refund.created") == 1
        && records.events(id, "refund.succeeded") == 1
        && records.operations(id, "create_refund") == 1
        && records.operations(id, "record_refund") == 1;
    let mut problems = chain::of_refund(&records.events_of(id));
    if !fits {
        problems.push(format!("{refund}: its records are {:?}", records.0.get(id)));
    }
    problems
}

fn known_problems(known: &Known, found: &[&Value], refunds: &[Value], records: &Records<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut within = |what: &str, range: Range, number: i64| {
        if !range.holds(number) {
            problems.push(format!("{what}: {number} instead of {range}: {known:?}, found {found:?}"));
        }
    };
    within("payments under one reference", known.created, i64::try_from(found.len()).unwrap_or(i64::MAX));
    let [payment] = found else { return problems };
    let id = text(payment, "id");
    within(
        "another id than was answered",
        Range::exactly(1),
        i64::from(known.id.as_deref().is_none_or(|known| known == id)),
    );
    within("received", known.received, number(payment, "amount_received"));
    within("refunded", known.refunded, number(payment, "amount_refunded"));
    within("canceled", known.canceled, records.events(id, "payment.canceled"));
    within("declined", known.declined, records.events(id, "payment.declined"));
    let refunds = refunds.iter().filter(|refund| text(refund, "payment") == id).count();
    within("refunds", known.refunds, i64::try_from(refunds).unwrap_or(i64::MAX));
    for operation in ["confirm_payment", "capture_payment", "cancel_payment"] {
        let range = known.accepted.get(operation).copied().unwrap_or(Range::exactly(0));
        within(operation, range, records.operations(id, operation));
    }
    for operation in ["confirm_payment", "capture_payment", "cancel_payment", "create_refund"] {
        let range = known.refused.get(operation).copied().unwrap_or(Range::exactly(0));
        within(&format!("{operation} refused"), range, records.refusals(id, operation));
    }
    problems
}
