//! Random sequences of verbs against a small model: amounts add up, versions rise, events tell what is.

use std::collections::BTreeMap;

use florin_testkit::suite::{Client, Reply, Suite, on_each_database};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::shop::{AMOUNT, SERVICES, act, created, payment, refund};

#[derive(Clone, Copy, Debug)]
enum Card {
    Visa,
    Declined,
    Authenticates,
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    Confirm(Option<Card>),
    Capture(Option<i64>, bool),
    Cancel,
    Refund(Option<i64>),
    /// The customer decides on the provider's page and comes back.
    Decide(bool),
}

fn verbs() -> impl Strategy<Value = Vec<Verb>> {
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

/// What a payment must be, as few lines as can say it.
#[derive(Debug)]
struct Model {
    manual: bool,
    status: &'static str,
    has_method: bool,
    capturable: i64,
    received: i64,
    refunded: i64,
}

const CONFLICT: (u16, &str) = (409, "payment_state_conflict");

impl Model {
    fn new(manual: bool) -> Self {
        Self {
            manual,
            status: "requires_payment_method",
            has_method: false,
            capturable: 0,
            received: 0,
            refunded: 0,
        }
    }

    fn approved(&mut self) {
        if self.manual {
            (self.status, self.capturable) = ("requires_capture", AMOUNT);
        } else {
            (self.status, self.received) = ("succeeded", AMOUNT);
        }
    }

    fn declined(&mut self) {
        (self.status, self.has_method) = ("requires_payment_method", false);
    }

    /// Does it, and says the answer's status and the problem's code.
    fn expect(&mut self, verb: Verb) -> (u16, &'static str) {
        match (verb, self.status) {
            (Verb::Confirm(card), "requires_payment_method" | "requires_confirmation") => match card {
                None if !self.has_method => (422, "payment_method_missing"),
                None => unreachable!("a model's payment has a method only while it is used"),
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

async fn perform(suite: &Suite, shop: &Client, id: &str, verb: Verb) -> Option<Reply> {
    Some(match verb {
        Verb::Confirm(card) => {
            let method = card.map(|card| match card {
                Card::Visa => "pm_card_visa",
                Card::Declined => "pm_card_insufficient_funds",
                Card::Authenticates => "pm_card_authentication_required",
            });
            act(shop, id, "confirm", json!({ "payment_method": method })).await
        }
        Verb::Capture(amount, last) => {
            act(shop, id, "capture", json!({ "amount": amount, "final": last })).await
        }
        Verb::Cancel => act(shop, id, "cancel", json!({})).await,
        Verb::Refund(amount) => refund(shop, id, json!({ "amount": amount })).await,
        Verb::Decide(approve) => {
            let payment = payment(shop, id).await;
            let page = payment["next_action"]["url"].as_str()?;
            let back = suite.authenticate(page, if approve { "approve" } else { "refuse" }).await;
            suite.stranger().get(back.strip_prefix("http://florin.test").expect("our address")).await
        }
    })
}

/// The newest state of a payment that its events tell, and that each event's sequence is the version it tells.
async fn told(suite: &Suite, id: &str) -> BTreeMap<i64, Value> {
    let mut told = BTreeMap::new();
    for event in suite.published().await {
        if event.subject.as_deref() == Some(id) {
            let state = event.json().expect("JSON")["payment"].clone();
            assert_eq!(state["version"].as_i64(), event.sequence(), "{event:?}");
            let twice = told.insert(event.sequence().expect("a sequence"), state);
            assert_eq!(twice, None, "two events of one version");
        }
    }
    told
}

async fn sequence_of(suite: &Suite, manual: bool, verbs: Vec<Verb>) {
    let shop = suite.client("shop");
    let id = created(&shop, json!({ "capture_method": if manual { "manual" } else { "automatic" } })).await;
    told(suite, &id).await;
    let mut model = Model::new(manual);
    let mut before = payment(&shop, &id).await;
    for verb in verbs {
        let expected = model.expect(verb);
        let reply = perform(suite, &shop, &id, verb).await;
        let answered = reply.as_ref().map_or((0, ""), |r| {
            (if r.status == 200 && expected.0 == 303 { 303 } else { r.status }, r.code())
        });
        assert_eq!(answered, expected, "{verb:?} on {model:?}: {reply:?}");
        let after = payment(&shop, &id).await;
        let amount = |name: &str| after[name].as_i64().expect("an amount");
        let (capturable, received, refunded) =
            (amount("amount_capturable"), amount("amount_received"), amount("amount_refunded"));
        assert_eq!(after["status"], model.status, "{verb:?}");
        assert_eq!(
            (capturable, received, refunded),
            (model.capturable, model.received, model.refunded),
            "{verb:?}"
        );
        assert!(0 <= received && received <= AMOUNT && capturable + received <= AMOUNT, "{after}");
        assert!(0 <= refunded && refunded <= received, "{after}");
        assert_eq!(after["needs_review"], false, "{verb:?}");
        let told = told(suite, &id).await;
        if matches!(expected.0, 200..=399 | 402) {
            assert!(amount("version") > before["version"].as_i64().expect("a version"), "{verb:?}");
            assert_eq!(told.last_key_value(), Some((&amount("version"), &after)), "{verb:?}");
        } else {
            assert_eq!((&after, told.len()), (&before, 0), "{verb:?} was refused and changed something");
        }
        before = after;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_sequence_of_verbs_does_what_the_model_does() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let mut runner =
            TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
        let handle = tokio::runtime::Handle::current();
        let ran = tokio::task::block_in_place(|| {
            runner.run(&(any::<bool>(), verbs()), |(manual, verbs)| {
                handle.block_on(sequence_of(&suite, manual, verbs));
                Ok(())
            })
        });
        ran.unwrap_or_else(|failure| panic!("{failure}"));
    })
    .await;
}
