//! What a client orders in a round, and what it has to come to.

use serde_json::{Value, json};

use super::books::Known;
use super::shopper::{Shopper, Told};
use crate::client::Reply;

/// Cards that are charged in the end, more often or less.
const GOOD: [&str; 10] = [
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_timeout_after_charge",
    "pm_card_error_before_charge",
    "pm_card_error_before_charge",
    "pm_card_slow",
];

const DECLINED: [&str; 3] = ["pm_card_declined", "pm_card_insufficient_funds", "pm_card_expired"];

impl Shopper {
    /// Orders until so many requests were sent.
    pub(crate) async fn shop(mut self, requests: u64) -> super::books::Books {
        let mut number = 0;
        while self.books.requests < requests {
            number += 1;
            let reference = format!("{}-{number}", self.name);
            let mut known = Known::of(self.tenant, reference);
            match self.dice.below(100) {
                0..=26 => self.at_once(&mut known).await,
                27..=56 => self.authorize_first(&mut known).await,
                57..=66 => self.decline(&mut known).await,
                67..=80 => self.without_keys(&mut known).await,
                81..=92 => self.authenticate(&mut known).await,
                _ => self.misuse(&mut known).await,
            }
            self.books.known.push(known);
        }
        self.books
    }

    fn good_card(&mut self) -> &'static str {
        GOOD[self.dice.place(GOOD.len())]
    }

    async fn at_once(&mut self, known: &mut Known) {
        let card = self.good_card();
        let reference = known.reference.clone();
        let (amount, body) = self.payment(&reference, card, json!({ "confirm": true }));
        let key = format!("create-{reference}");
        let reply = if self.dice.percent(30) {
            self.twins("/v1/payments", &body, &key).await
        } else {
            self.keyed("/v1/payments", &body, &key).await
        };
        let Some(reply) = reply else { return self.perhaps_created(known, amount) };
        if !self.expect("create and confirm", &reply, &[201]) {
            return;
        }
        self.created(known, &reply);
        known.received.add(amount);
        if self.dice.percent(25) {
            self.keyed("/v1/payments", &body, &key).await;
        }
        self.refund_some(known, amount).await;
    }

    /// Its answer never came, which is a problem already; what it did is still held against the books.
    fn perhaps_created(&mut self, known: &mut Known, amount: i64) {
        known.created.maybe(1);
        known.received.maybe(amount);
    }

    fn created(&mut self, known: &mut Known, reply: &Reply) {
        known.id = reply.body["id"].as_str().map(str::to_owned);
        known.created.add(1);
        if known.id.is_none() {
            self.wrong(format!("a payment without an id: {reply:?}"));
        }
    }

    async fn authorize_first(&mut self, known: &mut Known) {
        let card = self.good_card();
        let reference = known.reference.clone();
        let (amount, body) = self.payment(&reference, card, json!({ "capture_method": "manual" }));
        let key = format!("create-{reference}");
        let Some(reply) = self.keyed("/v1/payments", &body, &key).await else {
            return known.created.maybe(1);
        };
        if !self.expect("create", &reply, &[201]) {
            return;
        }
        self.created(known, &reply);
        let path = format!("/v1/payments/{}", known.id.clone().unwrap_or_default());
        let confirm = format!("{path}/confirm");
        let key = format!("confirm-{reference}");
        let confirmed = if self.dice.percent(30) {
            self.twins(&confirm, &json!({}), &key).await
        } else {
            self.keyed(&confirm, &json!({}), &key).await
        };
        known.accepted("confirm_payment", confirmed.is_some());
        let Some(confirmed) = confirmed else { return };
        if !self.expect("confirm", &confirmed, &[200]) {
            return;
        }
        if self.dice.percent(30) {
            let too_much = json!({ "amount": amount + 1 });
            let key = format!("too-much-{reference}");
            let refused = self.keyed(&format!("{path}/capture"), &too_much, &key).await;
            self.refused("capture more than there is", known, "capture_payment", refused);
        }
        match self.dice.below(10) {
            0..=5 => self.capture(known, &path, amount).await,
            6..=8 => {
                let key = format!("cancel-{reference}");
                let canceled = self.keyed(&format!("{path}/cancel"), &json!({}), &key).await;
                known.accepted("cancel_payment", canceled.is_some());
                match canceled {
                    Some(reply) if self.expect("cancel", &reply, &[200]) => known.canceled.add(1),
                    _ => known.canceled.maybe(1),
                }
            }
            // It stays authorized.
            _ => {}
        }
    }

    /// What has to be refused, and leaves the record of a refusal and nothing else.
    fn refused(&mut self, what: &str, known: &mut Known, operation: &'static str, reply: Option<Reply>) {
        known.refused(operation, reply.is_some());
        if let Some(reply) = reply {
            self.expect(what, &reply, &[409]);
        }
    }

    async fn capture(&mut self, known: &mut Known, path: &str, amount: i64) {
        let part = if self.dice.percent(50) { amount } else { 1 + amount / 2 };
        let key = format!("capture-{}", known.reference);
        let body = json!({ "amount": part });
        let captured = self.keyed(&format!("{path}/capture"), &body, &key).await;
        known.accepted("capture_payment", captured.is_some());
        match captured {
            Some(reply) if self.expect("capture", &reply, &[200]) => known.received.add(part),
            _ => return known.received.maybe(part),
        }
        self.refund_some(known, part).await;
    }

    async fn refund_some(&mut self, known: &mut Known, received: i64) {
        if !self.dice.percent(45) {
            return;
        }
        let part = 1 + i64::try_from(self.dice.below(u64::try_from(received).unwrap_or(1))).unwrap_or(0);
        let body = json!({ "payment": known.id, "amount": part });
        if self.dice.percent(25) {
            return match self.once("/v1/refunds", &body).await {
                Told::Final(reply) if self.expect("refund without a key", &reply, &[201]) => {
                    refunded(known, part)
                }
                Told::Final(_) => {}
                Told::Accepted => refunded(known, part),
                Told::Nothing => {
                    known.refunded.maybe(part);
                    known.refunds.maybe(1);
                }
            };
        }
        let key = format!("refund-{}", known.reference);
        match self.keyed("/v1/refunds", &body, &key).await {
            Some(reply) if self.expect("refund", &reply, &[201]) => refunded(known, part),
            _ => {
                known.refunded.maybe(part);
                return known.refunds.maybe(1);
            }
        }
        if self.dice.percent(30) {
            let key = format!("refund-too-much-{}", known.reference);
            let body = json!({ "payment": known.id, "amount": received - part + 1 });
            let refused = self.keyed("/v1/refunds", &body, &key).await;
            self.refused("refund more than there is", known, "create_refund", refused);
        }
    }

    async fn decline(&mut self, known: &mut Known) {
        let card = DECLINED[self.dice.place(DECLINED.len())];
        let reference = known.reference.clone();
        let (_, body) = self.payment(&reference, card, json!({ "confirm": true }));
        let key = format!("create-{reference}");
        let Some(reply) = self.keyed("/v1/payments", &body, &key).await else {
            known.declined.maybe(1);
            return known.created.maybe(1);
        };
        if !self.expect("a card that is declined", &reply, &[402]) {
            return;
        }
        known.id = reply.body["payment"]["id"].as_str().map(str::to_owned);
        known.created.add(1);
        known.declined.add(1);
    }

    /// Without keys the reference makes the payment one, and its states make a charge one.
    async fn without_keys(&mut self, known: &mut Known) {
        let card = self.good_card();
        let reference = known.reference.clone();
        let confirm = self.dice.percent(50);
        let (amount, body) = self.payment(&reference, card, json!({ "confirm": confirm }));
        known.created.add(1);
        for attempt in 0.. {
            match self.once("/v1/payments", &body).await {
                Told::Final(reply) if reply.code() == "reference_taken" && attempt > 0 => {
                    known.id = reply.body["payment_id"].as_str().map(str::to_owned);
                    known.refused("create_payment", true);
                    break;
                }
                Told::Final(reply) => {
                    self.expect("create without a key", &reply, &[201]);
                    known.id = reply.body["id"].as_str().map(str::to_owned);
                    break;
                }
                Told::Accepted | Told::Nothing if attempt < 200 => {
                    // It may have been made before, and this one refused.
                    known.refused("create_payment", false);
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
                Told::Accepted | Told::Nothing => {
                    return self.wrong("create without a key: no answer".to_owned());
                }
            }
        }
        if confirm {
            return known.received.add(amount);
        }
        let path = format!("/v1/payments/{}/confirm", known.id.clone().unwrap_or_default());
        let told = self.once(&path, &json!({})).await;
        known.accepted("confirm_payment", !matches!(told, Told::Nothing));
        match told {
            Told::Final(reply) => {
                if self.expect("confirm without a key", &reply, &[200]) {
                    known.received.add(amount);
                }
            }
            Told::Accepted => known.received.add(amount),
            Told::Nothing => known.received.maybe(amount),
        }
    }

    async fn authenticate(&mut self, known: &mut Known) {
        let reference = known.reference.clone();
        let more = json!({ "confirm": true, "return_url": "https://shop.example/thanks" });
        let (amount, body) = self.payment(&reference, "pm_card_authentication_required", more);
        let key = format!("create-{reference}");
        let Some(reply) = self.keyed("/v1/payments", &body, &key).await else {
            return self.perhaps_created(known, amount);
        };
        if !self.expect("create with authentication", &reply, &[201]) {
            return;
        }
        self.created(known, &reply);
        let Some(page) = reply.body["next_action"]["url"].as_str().map(str::to_owned) else {
            return self.wrong(format!("no page to authenticate at: {reply:?}"));
        };
        match self.dice.below(3) {
            0 if self.decide(&page, "approve").await => known.received.add(amount),
            0 => known.received.maybe(amount),
            1 if self.decide(&page, "refuse").await => known.declined.add(1),
            1 => known.declined.maybe(1),
            // The customer never comes back.
            _ => {}
        }
    }

    /// What has to be refused, and change nothing.
    async fn misuse(&mut self, known: &mut Known) {
        let reference = known.reference.clone();
        let (_, body) = self.payment(&reference, "pm_card_visa", json!({}));
        let key = format!("create-{reference}");
        let Some(reply) = self.keyed("/v1/payments", &body, &key).await else {
            return known.created.maybe(1);
        };
        if !self.expect("create", &reply, &[201]) {
            return;
        }
        self.created(known, &reply);
        let mut other: Value = body.clone();
        other["amount"] = json!(1);
        for _ in 0..100 {
            match self.once_under("/v1/payments", &other, &key).await {
                Some(reply) if reply.status < 500 => {
                    self.expect("a key used again for another body", &reply, &[422]);
                    break;
                }
                _ => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            }
        }
        let path = format!("/v1/payments/{}/capture", known.id.clone().unwrap_or_default());
        let key = format!("early-{reference}");
        let refused = self.keyed(&path, &json!({}), &key).await;
        self.refused("capture what is not authorized", known, "capture_payment", refused);
        if let Some(missing) = self.get("/v1/payments/pay_01890000000070008000000000000000").await {
            self.expect("a payment of nobody", &missing, &[404]);
        }
    }
}

fn refunded(known: &mut Known, part: i64) {
    known.refunded.add(part);
    known.refunds.add(1);
}
