//! Defects that a check has to see, told of what was read: it proves nothing unless it sees each of them.

use serde_json::{Value, json};

use super::told::{Told, number, text};

/// What may have happened, by itself.
pub(crate) struct Lie {
    pub(crate) name: &'static str,
    /// A word of the problem that has to be found: another check that fails besides proves nothing of this one.
    pub(super) seen_as: &'static str,
    tell: Tell,
}

/// How what was read becomes what it would be then.
enum Tell {
    /// One audit record of this name less.
    Forget(&'static str),
    /// Nothing where there is nothing it could happen to.
    Change(fn(&mut Told) -> Option<()>),
}

impl Lie {
    /// Changes what was read; nothing where there is nothing it could happen to.
    pub(super) fn tell(&self, told: &mut Told) -> Option<()> {
        match self.tell {
            Tell::Forget(name) => told.forget(name),
            Tell::Change(change) => change(told),
        }
    }
}

const fn lie(name: &'static str, seen_as: &'static str, tell: Tell) -> Lie {
    Lie { name, seen_as, tell }
}

/// All that is told.
pub(crate) const LIES: &[Lie] = &[
    lie("payment.created was lost", "payment.created: ", Tell::Forget("florin.payment.created.v1")),
    lie(
        "payment.authorized was lost",
        "and payment.authorized: ",
        Tell::Forget("florin.payment.authorized.v1"),
    ),
    lie(
        "payment.action_required was lost",
        "and payment.action_required: ",
        Tell::Forget("florin.payment.action_required.v1"),
    ),
    lie(
        "payment.succeeded was lost",
        "captures, and payment.succeeded",
        Tell::Forget("florin.payment.succeeded.v1"),
    ),
    lie(
        "payment.captured was lost",
        "captures, and payment.succeeded",
        Tell::Forget("florin.payment.captured.v1"),
    ),
    lie("payment.declined was lost", "and payment.declined: ", Tell::Forget("florin.payment.declined.v1")),
    lie("payment.canceled was lost", "and payment.canceled: ", Tell::Forget("florin.payment.canceled.v1")),
    lie("payment.refunded was lost", "and payment.refunded: ", Tell::Forget("florin.payment.refunded.v1")),
    lie("refund.created was lost", "its records are", Tell::Forget("florin.refund.created.v1")),
    lie("refund.succeeded was lost", "its records are", Tell::Forget("florin.refund.succeeded.v1")),
    lie(
        "the creation of a payment was not recorded",
        "create_payment: ",
        Tell::Forget("payments.create_payment"),
    ),
    lie(
        "what a charge came to was not recorded",
        "and record_charge: ",
        Tell::Forget("payments.record_charge"),
    ),
    lie(
        "what a capture came to was not recorded",
        "and record_capture: ",
        Tell::Forget("payments.record_capture"),
    ),
    lie("what a release came to was not recorded", "and record_void: ", Tell::Forget("payments.record_void")),
    lie(
        "what a look-up came to was not recorded",
        "its version, and the changes",
        Tell::Forget("payments.record_look_up"),
    ),
    lie(
        "what a charge came to was recorded twice",
        "and record_charge: ",
        Tell::Change(|told| told.again("payments.record_charge", "succeeded")),
    ),
    lie(
        "the refusal of a capture was not recorded",
        "capture_payment refused: ",
        Tell::Change(|told| told.forget_refusal("payments.capture_payment")),
    ),
    lie(
        "the refusal of a refund was not recorded",
        "create_refund refused: ",
        Tell::Change(|told| told.forget_refusal("payments.create_refund")),
    ),
    lie(
        "a refusal was recorded twice",
        "capture_payment refused: ",
        Tell::Change(|told| told.again("payments.capture_payment", "refused")),
    ),
    lie(
        "somebody was refused a payment who was not",
        "create_payment refused: ",
        Tell::Change(|told| {
            let mut made_up = told.record("payments.create_payment", "accepted")?.clone();
            made_up["outcome"] = json!("refused");
            // More than may have been refused to those who heard nothing.
            for number in 0..1_000 {
                made_up["event_id"] = json!(format!("made up {number}"));
                told.records.push(made_up.clone());
            }
            Some(())
        }),
    ),
    lie(
        "an event before the last tells of another amount",
        "does not begin where the last ended",
        Tell::Change(|told| {
            let of = |name: &str, record: &Value| text(record, "name") == name;
            let paid = told.records.iter().find(|record| of("florin.payment.succeeded.v1", record))?;
            let id = text(paid, "resource").to_owned();
            let mut created = told
                .records
                .iter_mut()
                .filter(|record| of("florin.payment.created.v1", record) && text(record, "resource") == id);
            created.next()?["data"]["payment"]["amount"] = json!(-1);
            Some(())
        }),
    ),
    lie(
        "an event tells of money that was received before",
        "was received before, and",
        Tell::Change(|told| {
            let mut events = told.records.iter_mut();
            let paid = events.find(|record| text(record, "name") == "florin.payment.succeeded.v1")?;
            paid["data"]["payment"]["amount_received"] = json!(0);
            Some(())
        }),
    ),
    lie(
        "an event tells of another change than was made",
        "does not begin where the last ended",
        Tell::Change(|told| {
            let mut events = told.records.iter_mut();
            let paid = events.find(|record| {
                text(record, "name") == "florin.payment.succeeded.v1" && number(record, "sequence") == 2
            })?;
            paid["data"]["previous"]["status"] = json!("canceled");
            Some(())
        }),
    ),
    lie(
        "the event of a refund tells of another amount",
        "does not begin where the last ended",
        Tell::Change(|told| {
            let mut events = told.records.iter_mut();
            let made = events.find(|record| text(record, "name") == "florin.refund.succeeded.v1")?;
            made["data"]["refund"]["amount"] = json!(-1);
            Some(())
        }),
    ),
    lie(
        "the outcome of a refund was not recorded",
        "its records are",
        Tell::Forget("payments.record_refund"),
    ),
    lie(
        "the last event of a payment tells something else",
        "its last event is not",
        Tell::Change(|told| {
            let id = text(told.payments.first()?, "id").to_owned();
            let of_it = told
                .records
                .iter_mut()
                .filter(|record| text(record, "resource") == id && text(record, "kind") == "event");
            let newest = of_it.max_by_key(|record| number(record, "sequence"))?;
            newest["data"]["payment"]["amount"] = json!(-1);
            Some(())
        }),
    ),
    lie(
        "an event was recorded twice",
        "recorded twice",
        Tell::Change(|told| {
            let twice = told.records.first()?.clone();
            told.records.push(twice);
            Some(())
        }),
    ),
    lie(
        "two events were recorded for one change",
        "two events of one version",
        Tell::Change(|told| {
            let mut other = told.records.iter().find(|record| text(record, "kind") == "event")?.clone();
            let payment = text(told.payments.first()?, "id");
            other["event_id"] = json!("another");
            other["resource"] = json!(payment);
            other["sequence"] = json!(1);
            told.records.push(other);
            Some(())
        }),
    ),
    lie(
        "an event was tallied twice",
        "tallied 2 times",
        Tell::Change(|told| {
            told.tallies.first_mut()?["times"] = json!(2);
            Some(())
        }),
    ),
    lie("an event was not tallied", "not tallied", Tell::Change(|told| told.tallies.pop().map(drop))),
    lie(
        "an event was tallied that nobody recorded",
        "tallied and not recorded",
        Tell::Change(|told| {
            let mut other = told.tallies.first()?.clone();
            other["event_id"] = json!("another");
            told.tallies.push(other);
            Some(())
        }),
    ),
    lie(
        "a failed attempt was not counted",
        "an attempt was not counted",
        Tell::Change(|told| {
            let retried = told.tallies.iter_mut().find(|tally| number(tally, "retries") > 0)?;
            retried["attempts"] = json!(1);
            Some(())
        }),
    ),
    lie(
        "a card was charged twice",
        "charges that hold or took money",
        Tell::Change(|told| {
            let (records, charged) = told.provider.values_mut().find_map(|said| {
                let records = said["records"].as_array_mut()?;
                let charged =
                    records.iter().find(|record| text(&record["charge"], "status") == "succeeded")?.clone();
                Some((records, charged))
            })?;
            records.push(charged);
            Some(())
        }),
    ),
    lie(
        "a charge that succeeded was never made",
        "captured and received",
        Tell::Change(|told| {
            let said = told.provider.values_mut().find(|said| sum(said, "captures") > 0)?;
            said["records"] = json!([]);
            Some(())
        }),
    ),
    lie(
        "a refund was paid twice",
        "paid back and refunded",
        Tell::Change(|told| {
            let record = told
                .provider
                .values_mut()
                .filter_map(|said| said["records"].as_array_mut())
                .flatten()
                .find(|record| number(&record["refunds"], "amount") > 0)?;
            let amount = number(&record["refunds"], "amount");
            record["refunds"]["amount"] = json!(2 * amount);
            Some(())
        }),
    ),
    lie(
        "a key came with another request",
        "keys that the provider saw",
        Tell::Change(|told| {
            let requests = told.provider.values_mut().filter_map(|said| said["requests"].as_array_mut());
            requests.flatten().next()?["mismatched"] = json!(1);
            Some(())
        }),
    ),
    lie(
        "a payment that was made is gone",
        "made and not listed",
        Tell::Change(|told| told.payments.pop().map(drop)),
    ),
    lie(
        "a payment was made twice",
        "payments under one reference",
        Tell::Change(|told| {
            let twice = told.payments.first()?.clone();
            told.payments.push(twice);
            Some(())
        }),
    ),
    lie(
        "a payment is there that nobody asked for",
        "nobody asked for",
        Tell::Change(|told| {
            told.payments.first_mut()?["reference"] = json!("nobody's");
            Some(())
        }),
    ),
    lie(
        "a payment is stuck",
        "is processing",
        Tell::Change(|told| {
            told.payments.first_mut()?["status"] = json!("processing");
            Some(())
        }),
    ),
    lie(
        "a payment needs review",
        "needs review",
        Tell::Change(|told| {
            told.payments.first_mut()?["needs_review"] = json!(true);
            Some(())
        }),
    ),
    lie(
        "a cent too much was received",
        "captured and received",
        Tell::Change(|told| {
            let paid = told.received()?;
            let amount = number(paid, "amount_received");
            paid["amount_received"] = json!(amount + 1);
            Some(())
        }),
    ),
    lie(
        "a payment lists another amount than was charged",
        "charged another amount than is listed",
        Tell::Change(|told| {
            let paid = told.received()?;
            let amount = number(paid, "amount");
            paid["amount"] = json!(amount + 1);
            Some(())
        }),
    ),
    lie(
        "a payment lists another currency than was charged",
        "charged in another currency than is listed",
        Tell::Change(|told| {
            told.received()?["currency"] = json!("XTS");
            Some(())
        }),
    ),
    lie(
        "a payment lists less than the provider's total of its captures",
        "the provider's totals are",
        Tell::Change(|told| told.booked_more("captures", "amount_captured")),
    ),
    lie(
        "a payment lists less than the provider's total of its refunds",
        "the provider's totals are",
        Tell::Change(|told| told.booked_more("refunds", "amount_refunded")),
    ),
    lie(
        "a payment lists money to capture that the provider does not hold",
        "that can be captured",
        Tell::Change(|told| {
            let payment = told.payments.first_mut()?;
            let amount = number(payment, "amount_capturable");
            payment["amount_capturable"] = json!(amount + 1);
            Some(())
        }),
    ),
    lie(
        "a refund is listed in another currency",
        "refunded in another currency than was charged",
        Tell::Change(|told| {
            told.refunds.first_mut()?["currency"] = json!("XTS");
            Some(())
        }),
    ),
    lie(
        "money was taken for a payment that is not listed",
        "altogether in",
        Tell::Change(|told| {
            let place = told.payments.iter().position(|payment| number(payment, "amount_received") > 0)?;
            told.payments.remove(place);
            Some(())
        }),
    ),
    lie(
        "a refund that was paid is not listed",
        "altogether in",
        Tell::Change(|told| told.refunds.pop().map(drop)),
    ),
    lie(
        "a refund that was made is gone",
        "made and not listed",
        Tell::Change(|told| told.refunds.pop().map(drop)),
    ),
    lie(
        "a refund is stuck",
        "its records are",
        Tell::Change(|told| {
            told.refunds.first_mut()?["status"] = json!("pending");
            Some(())
        }),
    ),
];

impl Told {
    /// One audit record of this name less.
    fn forget(&mut self, name: &str) -> Option<()> {
        let done = |record: &Value| !matches!(text(record, "outcome"), "refused" | "failed");
        let place = self.records.iter().position(|record| text(record, "name") == name && done(record))?;
        self.records.remove(place);
        Some(())
    }

    /// An operation's record of this name and outcome.
    fn record(&self, name: &str, outcome: &str) -> Option<&Value> {
        let mut records = self.records.iter();
        records.find(|record| text(record, "name") == name && text(record, "outcome") == outcome)
    }

    /// A payment that received money.
    fn received(&mut self) -> Option<&mut Value> {
        self.payments.iter_mut().find(|payment| number(payment, "amount_received") > 0)
    }

    /// A charge with movements of this kind, and a total of theirs that is a cent more.
    fn booked_more(&mut self, kind: &str, total: &str) -> Option<()> {
        let records = self.provider.values_mut().filter_map(|said| said["records"].as_array_mut()).flatten();
        let charge = &mut records.into_iter().find(|record| number(&record[kind], "amount") > 0)?["charge"];
        let amount = number(charge, total);
        charge[total] = json!(amount + 1);
        Some(())
    }

    /// One record of a refusal less.
    fn forget_refusal(&mut self, name: &str) -> Option<()> {
        let refused = |record: &Value| text(record, "name") == name && text(record, "outcome") == "refused";
        let place = self.records.iter().position(refused)?;
        self.records.remove(place);
        Some(())
    }

    /// An operation's record once more, as if it had been done twice.
    fn again(&mut self, name: &str, outcome: &str) -> Option<()> {
        let mut twice = self.record(name, outcome)?.clone();
        twice["event_id"] = json!("another");
        self.records.push(twice);
        Some(())
    }
}

fn sum(provider: &Value, kind: &str) -> i64 {
    provider["records"].as_array().into_iter().flatten().map(|record| number(&record[kind], "amount")).sum()
}
