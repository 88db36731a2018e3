//! Defects that a check has to see, told of what was read: it proves nothing unless it sees each of them.

use serde_json::{Value, json};

use super::told::{Told, number, text};

/// Changes what was read into what it would be if this had happened; nothing where there is nothing it could happen to.
type Lie = fn(&mut Told) -> Option<()>;

/// What may have happened, each by itself.
pub(crate) const LIES: &[(&str, Lie)] = &[
    ("an event was lost", |told| told.forget(|record| text(record, "kind") == "event")),
    ("the last event of a payment was lost", |told| {
        let name = "florin.payment.succeeded.v1";
        told.forget(|record| text(record, "name") == name)
    }),
    ("an operation was not recorded", |told| {
        told.forget(|record| {
            text(record, "name") == "payments.create_payment" && text(record, "outcome") == "succeeded"
        })
    }),
    ("an event was recorded twice", |told| {
        let twice = told.records.first()?.clone();
        told.records.push(twice);
        Some(())
    }),
    ("two events were recorded for one change", |told| {
        let mut other =
            told.records.iter().find(|record| text(record, "name") == "florin.payment.created.v1")?.clone();
        other["event_id"] = json!("another");
        told.records.push(other);
        Some(())
    }),
    ("a card was charged twice", |told| {
        let (records, charged) = told.provider.values_mut().find_map(|said| {
            let records = said["records"].as_array_mut()?;
            let charged =
                records.iter().find(|record| text(&record["charge"], "status") == "succeeded")?.clone();
            Some((records, charged))
        })?;
        records.push(charged);
        Some(())
    }),
    ("a charge that succeeded was never made", |told| {
        let said = told.provider.values_mut().find(|said| sum(said, "captures") > 0)?;
        said["records"] = json!([]);
        Some(())
    }),
    ("a refund was paid twice", |told| {
        let record = told
            .provider
            .values_mut()
            .filter_map(|said| said["records"].as_array_mut())
            .flatten()
            .find(|record| number(&record["refunds"], "amount") > 0)?;
        let (amount, count) = (number(&record["refunds"], "amount"), number(&record["refunds"], "count"));
        record["refunds"]["amount"] = json!(2 * amount);
        record["refunds"]["count"] = json!(2 * count);
        Some(())
    }),
    ("a payment that was accepted is gone", |told| told.payments.pop().map(drop)),
    ("a payment was made twice", |told| {
        let twice = told.payments.first()?.clone();
        told.payments.push(twice);
        Some(())
    }),
    ("a payment is there that nobody asked for", |told| {
        told.payments.first_mut()?["reference"] = json!("nobody's");
        Some(())
    }),
    ("a payment is stuck", |told| {
        told.payments.first_mut()?["status"] = json!("processing");
        Some(())
    }),
    ("a payment needs review", |told| {
        told.payments.first_mut()?["needs_review"] = json!(true);
        Some(())
    }),
    ("a cent too much was received", |told| {
        let paid = told.payments.iter_mut().find(|payment| number(payment, "amount_received") > 0)?;
        let amount = number(paid, "amount_received");
        paid["amount_received"] = json!(amount + 1);
        Some(())
    }),
    ("a refund that was accepted is gone", |told| told.refunds.pop().map(drop)),
    ("a refund is stuck", |told| {
        told.refunds.first_mut()?["status"] = json!("pending");
        Some(())
    }),
];

impl Told {
    /// One audit record less.
    fn forget(&mut self, which: impl Fn(&Value) -> bool) -> Option<()> {
        let place = self.records.iter().position(which)?;
        self.records.remove(place);
        Some(())
    }
}

fn sum(provider: &Value, kind: &str) -> i64 {
    provider["records"].as_array().into_iter().flatten().map(|record| number(&record[kind], "amount")).sum()
}
