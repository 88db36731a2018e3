//! What a morning came to.

use std::collections::BTreeMap;
use std::time::Duration;

use florin_kernel::money::{Currency, Money};
use serde_json::{Value, json};

use super::plan::Story;
use super::play::{Broken, Played};
use super::trail::{self, Record};
use crate::demo::Outcome;
use crate::demo::answer::Payment;
use crate::demo::api::NoAnswer;
use crate::demo::latency::Latencies;
use crate::demo::table::{grouped, line, major};

/// Counts by status, and what did not go as planned.
#[derive(Debug, Default)]
pub(super) struct Summary {
    by_status: BTreeMap<String, usize>,
    received: BTreeMap<Currency, Money>,
    refunded: usize,
    unplanned: Vec<(usize, String)>,
    stopped: Option<NoAnswer>,
    followed: Option<(Story, Payment, Vec<String>)>,
}

impl Summary {
    /// Counts one payment. Fails when a sum is beyond 64 bits.
    pub(super) fn add(&mut self, played: Played) -> Result<(), String> {
        let (payment, refunds) = match played.ended {
            Ok(ended) => ended,
            Err(Broken::Unplanned(why)) => {
                self.unplanned.push((played.planned.number, why));
                return Ok(());
            }
            Err(Broken::NoAnswer(why)) => {
                self.stopped = Some(why);
                return Ok(());
            }
        };
        *self.by_status.entry(payment.status.clone()).or_default() += 1;
        self.refunded += usize::from(payment.amount_refunded > 0);
        let currency = payment.currency;
        let sum = self.received.entry(currency).or_insert(Money::new(0, currency));
        *sum = sum.plus(payment.received()).map_err(|error| error.to_string())?;
        // The one with the longest trail is worth a look.
        let richest = Story::CapturedTwiceAndRefunded;
        if self
            .followed
            .as_ref()
            .is_none_or(|(story, ..)| *story != richest && played.planned.story == richest)
        {
            self.followed = Some((played.planned.story, payment, refunds));
        }
        Ok(())
    }

    /// Whether the rest would fare no better.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// The payment whose trail is shown, and its refunds.
    pub(super) fn followed(&self) -> Option<(&Payment, &[String])> {
        self.followed.as_ref().map(|(_, payment, refunds)| (payment, refunds.as_slice()))
    }

    fn ended(&self) -> usize {
        self.by_status.values().sum()
    }

    /// Everything; `trail` is that of the followed payment.
    pub(super) fn finish(
        mut self,
        payments: usize,
        took: Duration,
        latencies: &Latencies,
        requests: usize,
        trail: Option<Result<Vec<Record>, String>>,
    ) -> Outcome {
        self.unplanned.sort();
        let rate = requests as f64 / took.as_secs_f64().max(0.001);
        Outcome {
            text: self.text(payments, took, rate, latencies, trail.as_ref()),
            json: self.json(payments, took, rate, latencies, trail.as_ref()),
            trouble: self.trouble(payments, trail.as_ref()),
        }
    }

    fn left(&self, payments: usize) -> usize {
        payments - self.ended() - self.unplanned.len()
    }

    fn trouble(&self, payments: usize, trail: Option<&Result<Vec<Record>, String>>) -> Option<String> {
        let left = self.left(payments);
        match (&self.stopped, self.unplanned.len(), left, trail) {
            (Some(why), unplanned, left, _) => {
                Some(format!("{why}; {unplanned} went otherwise than planned, {left} are left"))
            }
            (None, 0, 0, Some(Err(why))) => Some(why.clone()),
            (None, 0, 0, _) => None,
            (None, unplanned, left, _) => {
                Some(format!("{unplanned} payments went otherwise than planned, {left} are left"))
            }
        }
    }

    fn text(
        &self,
        payments: usize,
        took: Duration,
        rate: f64,
        latencies: &Latencies,
        trail: Option<&Result<Vec<Record>, String>>,
    ) -> String {
        let mut text = "\nA morning of payments\n".to_owned();
        for (status, count) in &self.by_status {
            text += &line(status, grouped(*count));
        }
        text += &line("of them refunded", grouped(self.refunded));
        for (name, count) in [("not as planned", self.unplanned.len()), ("left", self.left(payments))] {
            if count > 0 {
                text += &line(name, grouped(count));
            }
        }
        for sum in self.received.values().filter(|sum| sum.minor > 0) {
            text += &line("received", major(*sum));
        }
        text += &line("time", format!("{:.1} s", took.as_secs_f64()));
        text += &line("requests per second", format!("{rate:.0}"));
        for (number, why) in &self.unplanned {
            text += &format!("  payment {number}: {why}\n");
        }
        text += "\n";
        text += &latencies.table();
        if let (Some((payment, _)), Some(Ok(records))) = (self.followed(), trail) {
            text += &format!("\nThe trail of {}\n{}", payment.id, trail::lines(records));
        }
        text
    }

    fn json(
        &self,
        payments: usize,
        took: Duration,
        rate: f64,
        latencies: &Latencies,
        trail: Option<&Result<Vec<Record>, String>>,
    ) -> Value {
        let unplanned: Value =
            self.unplanned.iter().map(|(number, why)| json!({"payment": number, "detail": why})).collect();
        let received: BTreeMap<_, _> =
            self.received.iter().map(|(currency, sum)| (currency.to_string(), sum.minor)).collect();
        let records = trail.and_then(|trail| trail.as_ref().ok());
        json!({
            "payments": payments,
            "by_status": self.by_status,
            "refunded": self.refunded,
            "unplanned": unplanned,
            "left": self.left(payments),
            "received": received,
            "stopped": self.stopped.as_ref().map(ToString::to_string),
            "seconds": took.as_secs_f64(),
            "requests_per_second": rate,
            "operations": latencies.json(),
            "trail": records.map(|records| json!({
                "payment": self.followed().map(|(payment, _)| &payment.id),
                "records": trail::json(records),
            })),
        })
    }
}
