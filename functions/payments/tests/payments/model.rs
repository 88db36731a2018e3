//! A model of a payment: what each verb must do to it, in as few lines as can say it.

use proptest::prelude::*;

use crate::shop::AMOUNT;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Card {
    Visa,
    Declined,
    Authenticates,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Verb {
    Confirm(Option<Card>),
    Capture(Option<i64>, bool),
    Cancel,
    Refund(Option<i64>),
    /// The customer decides on the provider's page and comes back.
    Decide(bool),
}

/// A day of verbs.
pub(crate) fn verbs() -> impl Strategy<Value = Vec<Verb>> {
    let card = prop_oneof![3 => Just(Card::Visa), 1 => Just(Card::Declined), 2 => Just(Card::Authenticates)];
    let amount = || prop::option::of(prop_oneof![1..=AMOUNT / 4, 1..=AMOUNT + 200]);
    let verb = prop_oneof![
        3 => prop::option::weighted(0.9, card).prop_map(Verb::Confirm),
        3 => (amount(), prop::bool::weighted(0.3)).prop_map(|(amount, last)| Verb::Capture(amount, last)),
        1 => Just(Verb::Cancel),
        3 => amount().prop_map(Verb::Refund),
        2 => any::<bool>().prop_map(Verb::Decide),
    ];
    prop::collection::vec(verb, 1..12)
}

/// What a payment must be.
#[derive(Debug)]
pub(crate) struct Model {
    manual: bool,
    pub(crate) status: &'static str,
    pub(crate) capturable: i64,
    pub(crate) received: i64,
    pub(crate) refunded: i64,
}

const CONFLICT: (u16, &str) = (409, "payment_state_conflict");

impl Model {
    pub(crate) fn new(manual: bool) -> Self {
        Self { manual, status: "requires_payment_method", capturable: 0, received: 0, refunded: 0 }
    }

    fn approved(&mut self) {
        if self.manual {
            (self.status, self.capturable) = ("requires_capture", AMOUNT);
        } else {
            (self.status, self.received) = ("succeeded", AMOUNT);
        }
    }

    fn declined(&mut self) {
        self.status = "requires_payment_method";
    }

    /// Does it, and says the answer's status and the problem's code.
    pub(crate) fn expect(&mut self, verb: Verb) -> (u16, &'static str) {
        match (verb, self.status) {
            (Verb::Confirm(card), "requires_payment_method" | "requires_confirmation") => match card {
                // A method is forgotten when it is declined, and a payment that was not declined is not here.
                None => (422, "payment_method_missing"),
                Some(Card::Visa) => {
                    self.approved();
                    (200, "")
                }
                Some(Card::Declined) => {
                    self.declined();
                    (402, "card_declined")
                }
                Some(Card::Authenticates) => {
                    self.status = "requires_action";
                    (200, "")
                }
            },
            (Verb::Capture(amount, last), "requires_capture") => {
                let amount = amount.unwrap_or(self.capturable);
                if amount > self.capturable {
                    return (409, "capture_exceeds_remaining");
                }
                self.received += amount;
                self.capturable -= amount;
                if last || self.capturable == 0 {
                    (self.status, self.capturable) = ("succeeded", 0);
                }
                (200, "")
            }
            (
                Verb::Cancel,
                "requires_payment_method" | "requires_confirmation" | "requires_action" | "requires_capture",
            ) => {
                (self.status, self.capturable) = ("canceled", 0);
                (200, "")
            }
            (Verb::Refund(amount), _) if self.received > 0 => {
                let left = self.received - self.refunded;
                let amount = amount.unwrap_or(left);
                if amount > left || left == 0 {
                    return (409, "refund_exceeds_remaining");
                }
                self.refunded += amount;
                (201, "")
            }
            (Verb::Decide(approve), "requires_action") => {
                if approve {
                    self.approved();
                } else {
                    self.declined();
                }
                (303, "")
            }
            // There is no page to decide on.
            (Verb::Decide(_), _) => (0, ""),
            (Verb::Confirm(_) | Verb::Capture(..) | Verb::Cancel | Verb::Refund(_), _) => CONFLICT,
        }
    }
}
