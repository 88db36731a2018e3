//! Random sequences of verbs against the model: amounts add up, versions rise, events tell what is.

use std::collections::BTreeMap;

use florin_testkit::suite::{Client, Reply, Suite, on_each_database};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::model::{Card, Model, Verb, verbs};
use crate::shop::{AMOUNT, SERVICES, act, created, payment, refund};

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
        assert!((0..=AMOUNT).contains(&received) && capturable + received <= AMOUNT, "{after}");
        assert!((0..=received).contains(&refunded), "{after}");
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
