//! What a run of purchases came to.

use std::collections::BTreeMap;
use std::time::Duration;

use florin_kernel::money::{Currency, Money};
use serde_json::{Value, json};

use super::file::{Purchase, PurchaseFile};
use super::pay::Outcome;
use crate::demo::api::NoAnswer;
use crate::demo::latency::Latencies;
use crate::demo::table::{grouped, line, major};

/// The counts, and every row that is not paid, by name.
#[derive(Debug, Default)]
pub(super) struct Summary {
    succeeded: usize,
    already_paid: usize,
    received: BTreeMap<Currency, Money>,
    refused: Vec<Named>,
    unpaid: Vec<Named>,
    stopped: Option<NoAnswer>,
}

/// A row that is not paid.
#[derive(Debug)]
struct Named {
    row: usize,
    customer: String,
    field: String,
    detail: String,
}

impl Summary {
    /// Counts one row. Fails when the sum is beyond 64 bits.
    pub(super) fn add(&mut self, purchase: &Purchase, outcome: Outcome) -> Result<(), String> {
        let named = |field: String, detail: String| Named {
            row: purchase.row,
            customer: purchase.fields.customer.clone(),
            field,
            detail,
        };
        match outcome {
            Outcome::Paid { received, before } => {
                *(if before { &mut self.already_paid } else { &mut self.succeeded }) += 1;
                let sum = self.received.entry(received.currency).or_insert(Money::new(0, received.currency));
                *sum = sum.plus(received).map_err(|error| format!("row {}: {error}", purchase.row))?;
            }
            Outcome::Refused { field, detail } => self.refused.push(named(field, detail)),
            Outcome::Unpaid(why) => self.unpaid.push(named(String::new(), why)),
            Outcome::NoAnswer(why) => self.stopped = Some(why),
        }
        Ok(())
    }

    /// Whether the rest of the rows would fare no better.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// The rows that have no outcome: not begun, left in flight, or not answered.
    fn left(&self, file: &PurchaseFile) -> usize {
        let decided = self.succeeded + self.already_paid + self.refused.len() + self.unpaid.len();
        file.purchases.len() - decided
    }

    /// Everything, in the order of the rows.
    pub(super) fn finish(
        mut self,
        file: &PurchaseFile,
        took: Duration,
        latencies: &Latencies,
    ) -> crate::demo::Outcome {
        self.refused.sort_by_key(|named| named.row);
        self.unpaid.sort_by_key(|named| named.row);
        crate::demo::Outcome {
            text: self.text(file, took, latencies),
            json: self.json(file, took, latencies),
            trouble: self.trouble(file),
        }
    }

    fn trouble(&self, file: &PurchaseFile) -> Option<String> {
        let (unpaid, left) = (self.unpaid.len(), self.left(file));
        if unpaid == 0 && left == 0 {
            return None;
        }
        let why = self.stopped.as_ref().map_or(String::new(), |why| format!("{why}; "));
        Some(format!(
            "{why}{unpaid} not paid, {left} left: run the same command again, nothing is charged twice"
        ))
    }

    fn text(&self, file: &PurchaseFile, took: Duration, latencies: &Latencies) -> String {
        let rows = file.purchases.len();
        let mut text = format!("\nPurchases, file {}\n", file.digest);
        for (name, count) in [
            ("rows", rows),
            ("succeeded", self.succeeded),
            ("already paid", self.already_paid),
            ("refused", self.refused.len()),
            ("not paid", self.unpaid.len()),
            ("left", self.left(file)),
        ] {
            text += &line(name, grouped(count));
        }
        for sum in self.received.values() {
            text += &line("received", major(*sum));
            text += &line("in minor units", grouped(sum.minor));
        }
        let done = rows - self.left(file);
        let rate = done as f64 / took.as_secs_f64().max(0.001);
        text += &line("time", format!("{:.1} s", took.as_secs_f64()));
        text += &line("rate", format!("{rate:.0} rows/s"));
        for (title, names) in [("Refused", &self.refused), ("Not paid", &self.unpaid)] {
            if !names.is_empty() {
                text += &format!("\n{title}\n");
            }
            for Named { row, customer, field, detail } in names {
                let field = if field.is_empty() { String::new() } else { format!("  {field}") };
                text += &format!("  row {row}, customer {customer}{field}: {detail}\n");
            }
        }
        text + "\n" + &latencies.table()
    }

    fn json(&self, file: &PurchaseFile, took: Duration, latencies: &Latencies) -> Value {
        let names = |names: &[Named]| -> Value {
            let name = |named: &Named| {
                let Named { row, customer, field, detail } = named;
                json!({"row": row, "customer": customer, "field": field, "detail": detail})
            };
            names.iter().map(name).collect()
        };
        let received: BTreeMap<_, _> =
            self.received.iter().map(|(currency, sum)| (currency.to_string(), sum.minor)).collect();
        let done = file.purchases.len() - self.left(file);
        json!({
            "digest": file.digest,
            "rows": file.purchases.len(),
            "succeeded": self.succeeded,
            "already_paid": self.already_paid,
            "refused": names(&self.refused),
            "unpaid": names(&self.unpaid),
            "left": self.left(file),
            "received": received,
            "stopped": self.stopped.as_ref().map(ToString::to_string),
            "seconds": took.as_secs_f64(),
            "rows_per_second": done as f64 / took.as_secs_f64().max(0.001),
            "operations": latencies.json(),
        })
    }
}
