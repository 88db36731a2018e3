//! After a round everything is read through public interfaces and has to agree: the provider's record, the
//! payments, their events, the audit records, and what the clients were answered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::books::{Answer, Books, Known, Range};
use super::door::Door;
use super::sink::{Place, Sink};
use crate::client::{Client, Outgoing, Reply};

/// How often a request is sent again when all is over.
const AGAIN: u64 = 50;

/// Where a check reads.
pub(crate) struct Check<'a> {
    pub(crate) door: &'a Door,
    /// The round's tenants, and a client of each.
    pub(crate) tenants: &'a [(String, Client)],
    /// What was published.
    pub(crate) sink: Option<&'a Sink>,
    /// The provider itself, without anything awkward before it.
    pub(crate) provider: &'a Client,
    pub(crate) books: &'a Books,
}

/// One tenant's state as its interfaces tell it.
struct Told {
    payments: Vec<Value>,
    refunds: Vec<Value>,
    /// Audit records of a resource.
    records: BTreeMap<String, Vec<Value>>,
    /// The events that were recorded.
    events: BTreeSet<Place>,
    problems: Vec<String>,
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn number(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap_or_default()
}

impl Check<'_> {
    /// All that is wrong; nothing when all is well.
    pub(crate) async fn run(&self) -> Result<Vec<String>, String> {
        let tenants = (0..self.tenants.len()).map(|place| self.tenant(place));
        let problems = futures_util::future::try_join_all(tenants).await?;
        Ok(problems.concat())
    }

    async fn tenant(&self, place: usize) -> Result<Vec<String>, String> {
        let (tenant, client) = &self.tenants[place];
        let told = self.read(client).await?;
        let mut problems = told.problems.clone();
        problems.extend(self.sink.map(|sink| sink.against(tenant, &told.events)).unwrap_or_default());
        for payment in &told.payments {
            let id = text(payment, "id");
            let provider = self.provider.get(&format!("/v1/records?reference={id}")).await.body;
            problems.extend(payment_problems(payment, &provider, &told));
        }
        problems.extend(told.refunds.iter().flat_map(|refund| refund_problems(refund, &told)));
        problems.extend(self.against_the_books(place, &told));
        Ok(problems)
    }

    async fn read(&self, client: &Client) -> Result<Told, String> {
        let payments = self.door.list(client, "/v1/payments").await?;
        let refunds = self.door.list(client, "/v1/refunds").await?;
        let all = self.door.list(client, "/v1/audit/records").await?;
        let (mut problems, mut events) = (Vec::new(), BTreeSet::new());
        let mut records: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for record in all {
            let event = (text(&record, "source").to_owned(), text(&record, "event_id").to_owned());
            if !events.insert(event) {
                problems.push(format!("recorded twice: {record}"));
            }
            records.entry(text(&record, "resource").to_owned()).or_default().push(record);
        }
        Ok(Told { payments, refunds, records, events, problems })
    }

    /// What clients were told has to be so, and nothing else.
    fn against_the_books(&self, tenant: usize, told: &Told) -> Vec<String> {
        let mut problems = Vec::new();
        let mut by_reference: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for payment in &told.payments {
            by_reference.entry(text(payment, "reference")).or_default().push(payment);
        }
        for known in self.books.known.iter().filter(|known| known.tenant == tenant) {
            let found = by_reference.remove(known.reference.as_str()).unwrap_or_default();
            problems.extend(known_problems(known, &found, told));
        }
        for (reference, payments) in by_reference {
            problems.push(format!("nobody asked for {reference}: {payments:?}"));
        }
        problems
    }

    /// Every final answer again: the same bytes, and said to be repeated. Every `nth` of them is asked.
    pub(crate) async fn replay(&self, nth: usize) -> Vec<String> {
        let mut problems = Vec::new();
        for (turn, answer) in self.books.answers.iter().enumerate().step_by(nth.max(1)) {
            let (_, client) = &self.tenants[answer.tenant];
            let turn = u64::try_from(turn).unwrap_or(0);
            let Some(reply) = self.again(client, turn, answer).await else {
                problems.push(format!("POST {} again under {}: no answer", answer.path, answer.key));
                continue;
            };
            let same = reply.status == answer.status && reply.bytes == answer.bytes;
            if !same || reply.header("idempotency-replayed") != Some("true") {
                let first = String::from_utf8_lossy(&answer.bytes);
                problems.push(format!(
                    "POST {} again under {}: first {} {first}, now {reply:?}",
                    answer.path, answer.key, answer.status
                ));
            }
        }
        problems
    }
}

impl Check<'_> {
    /// A request again, until somebody answers: one that was told to end may still be at it.
    async fn again(&self, client: &Client, turn: u64, answer: &Answer) -> Option<Reply> {
        for attempt in 0..AGAIN {
            let outgoing = Outgoing::json(&answer.body, Some(&answer.key));
            let said = self.door.send(client, turn + attempt, Method::POST, &answer.path, outgoing).await;
            match said {
                Some(reply) if reply.status < 500 => return Some(reply),
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        None
    }
}

impl Told {
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

    fn count(&self, resource: &str, wanted: impl Fn(&Value) -> bool) -> i64 {
        let all = self.records.get(resource).into_iter().flatten();
        i64::try_from(all.filter(|record| wanted(record)).count()).unwrap_or(i64::MAX)
    }
}

/// Provider = payment = events = audit, for one payment.
fn payment_problems(payment: &Value, provider: &Value, told: &Told) -> Vec<String> {
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
    let events = |name: &str| told.events(id, name);

    same("is processing", i64::from(status == "processing"), 0);
    same("needs review", i64::from(payment["needs_review"] == true), 0);
    same("captured and received", sum("captures", "amount"), number(payment, "amount_received"));
    same("paid back and refunded", sum("refunds", "amount"), number(payment, "amount_refunded"));
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
    same("create_payment", told.operations(id, "create_payment"), 1);
    same("keys that the provider saw with another request", mismatched(provider), 0);

    let newest = told.records.get(id).into_iter().flatten().filter(|record| text(record, "kind") == "event");
    let newest = newest.max_by_key(|record| number(record, "sequence"));
    let (newest, version) = (newest.map(|record| &record["data"]["payment"]), number(payment, "version"));
    if newest.map(told_of) != Some(told_of(payment)) {
        problems.push(format!(
            "{id}: its last event is not what it is now, version {version}: {newest:?} {payment}"
        ));
    }
    let mut sequences = BTreeSet::new();
    for record in told.records.get(id).into_iter().flatten().filter(|record| text(record, "kind") == "event")
    {
        if !sequences.insert(number(record, "sequence")) {
            problems.push(format!("{id}: two events of one version: {record}"));
        }
    }
    problems
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

fn refund_problems(refund: &Value, told: &Told) -> Vec<String> {
    let id = text(refund, "id");
    let fits = text(refund, "status") == "succeeded"
        && told.events(id, "refund.created") == 1
        && told.events(id, "refund.succeeded") == 1
        && told.operations(id, "create_refund") == 1
        && told.operations(id, "record_refund") == 1;
    let records = told.records.get(id);
    if fits { Vec::new() } else { vec![format!("{refund}: its records are {records:?}")] }
}

fn known_problems(known: &Known, found: &[&Value], told: &Told) -> Vec<String> {
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
    within("canceled", known.canceled, told.events(id, "payment.canceled"));
    within("declined", known.declined, told.events(id, "payment.declined"));
    let refunds = told.refunds.iter().filter(|refund| text(refund, "payment") == id).count();
    within("refunds", known.refunds, i64::try_from(refunds).unwrap_or(i64::MAX));
    for operation in ["confirm_payment", "capture_payment", "cancel_payment"] {
        let range = known.accepted.get(operation).copied().unwrap_or(Range::exactly(0));
        within(operation, range, told.operations(id, operation));
    }
    problems
}
