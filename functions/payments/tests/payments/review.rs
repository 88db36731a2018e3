//! What never resolves needs a person: the payment says so, the operator sees it, and a retry ends it.

use std::time::Duration;

use florin_kernel::rows::backlog;
use florin_kernel::rows::effects::{self, Remembered, Retried, Twice};
use florin_kernel::service::Settings;
use florin_testkit::suite::{Fault, Suite, on_each_database_with};
use serde_json::json;

use crate::shop::{SERVICES, act, asked, at_provider, authorized, created, paid, payment, refund, stands};

const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

fn impatient() -> Settings {
    Settings { wait: Duration::from_millis(100), ..Settings::default() }
}

/// Lets the one effect that is wanted become too old to be tried by itself. The provider is there, and is not asked: it
/// may have forgotten the key, and would charge again.
async fn grows_old(suite: &Suite) {
    suite.drained().await;
    suite.advance(MAX_AGE);
    let seen = suite.peers.seen().len();
    assert_eq!(suite.sweep().await, 1);
    assert_eq!(suite.peers.seen().len(), seen, "the provider was asked again");
    suite.advance(MAX_AGE);
    assert_eq!(suite.sweep().await, 0, "it is tried although a person must look");
}

/// The effects that are not done, as `florin effects list` shows them: name and state.
async fn open_effects(suite: &Suite) -> Vec<(String, String, String)> {
    let rows = effects::list(suite.service("payments"), 100).await.expect("the effects");
    rows.into_iter().map(|row| (row.id, row.function, row.state)).collect()
}

/// Wants the one open effect again, as `florin effects retry` does, and `florin effects retry --may-happen-twice`.
async fn retry(suite: &Suite, twice: Twice) {
    let open = open_effects(suite).await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0].2, "needs_review");
    let retried = effects::retry(suite.service("payments"), &open[0].0, twice).await.expect("a retry");
    assert_eq!(retried, Retried::Wanted);
    assert_eq!(suite.sweep().await, 1);
    assert_eq!(open_effects(suite).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_stays_unknown_for_a_day_needs_review_and_a_retry_resolves_it() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        let path = format!("/v1/payments/{id}/confirm");
        // The provider charged, and nobody here will know for a day.
        suite.peers.fail_next(&[Fault::AnswerLost]);
        assert_eq!(shop.post_once(&path, "k", json!({})).await.status, 202);
        suite.published().await;
        grows_old(&suite).await;
        let flagged = payment(&shop, &id).await;
        assert_eq!((&flagged["status"], &flagged["needs_review"]), (&json!("processing"), &json!(true)));
        let told = suite.published().await;
        let event = told.iter().find(|e| e.kind == "florin.payment.needs_review.v1").expect("an event");
        assert_eq!(event.json().unwrap()["payment"], flagged);
        // The operation is answered with it, and stays answered.
        let answer = shop.post_once(&path, "k", json!({})).await;
        assert_eq!((answer.status, &answer.body), (200, &flagged));
        assert_eq!(open_effects(&suite).await[0].1, "payments.charge_card");
        retry(&suite, Twice::MayHappen).await;
        assert_eq!(stands(&shop, &id).await, ("succeeded".to_owned(), 0, 1_000, 0));
        assert_eq!(payment(&shop, &id).await["needs_review"], false);
        assert_eq!((asked(&suite, &id).await, at_provider(&suite, &id).await), (vec![2], (1, 1, 0, 0)));
        assert_eq!(shop.post_once(&path, "k", json!({})).await.bytes, answer.bytes);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_whose_key_may_be_forgotten_is_sent_again_only_when_it_may_happen_twice() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let (shop, service) = (suite.client("shop"), suite.service("payments"));
        let id = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        suite.peers.fail_next(&[Fault::AnswerLost]);
        act(&shop, &id, "confirm", json!({})).await;
        grows_old(&suite).await;
        let seen = suite.peers.seen();
        suite.published().await;
        let open = effects::list(service, 10).await.expect("the effects");
        let remembered = Remembered {
            peer: Some("card"),
            key: seen.last().map(|sent| sent.key.clone()),
            subject: id.clone(),
        };
        assert_eq!(effects::may_happen_twice(service, &open[0]), Some(remembered.clone()));
        let refused = effects::retry(service, &open[0].id, Twice::Never).await.expect("an answer");
        assert_eq!(refused, Retried::MayHappenTwice(remembered));
        assert_eq!(suite.sweep().await, 0, "it was refused and is wanted");
        assert_eq!(suite.peers.seen().len(), seen.len(), "it was refused and sent");
        assert_eq!(open_effects(&suite).await[0].2, "needs_review");
        assert_eq!(acts(&suite).await, 0, "a refused retry is no act");
        retry(&suite, Twice::MayHappen).await;
        assert_eq!(suite.peers.seen().len(), seen.len() + 1);
        assert_eq!(acts(&suite).await, 1);
        assert_eq!(effects::retry(service, &open[0].id, Twice::MayHappen).await.unwrap(), Retried::NotOpen);
    })
    .await;
}

/// How many retries of an operator's are told.
async fn acts(suite: &Suite) -> usize {
    let told = suite.published().await;
    let data = told.iter().filter_map(|event| event.json());
    let by_operator = data.filter(|data| data["actor"]["subject"] == "operator");
    by_operator.inspect(|data| assert_eq!(data["operation"], "payments.retry_effect")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_is_retried_while_its_key_protects_it_does_not_outlive_the_key() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let (shop, service) = (suite.client("shop"), suite.service("payments"));
        let id = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        suite.peers.fail_next(&[Fault::AnswerLost; 2]);
        act(&shop, &id, "confirm", json!({})).await;
        suite.drained().await;
        suite.advance(MAX_AGE / 2);
        let open = effects::list(service, 10).await.expect("the effects");
        assert_eq!(effects::may_happen_twice(service, &open[0]), None);
        assert_eq!(effects::retry(service, &open[0].id, Twice::Never).await.unwrap(), Retried::Wanted);
        assert_eq!(suite.sweep().await, 1);
        assert_eq!(suite.peers.seen().len(), 2, "it is sent, under its key");
        suite.advance(MAX_AGE / 2);
        assert_eq!(suite.sweep().await, 1);
        assert_eq!(suite.peers.seen().len(), 2, "the key may be forgotten, and it was sent");
        assert_eq!(open_effects(&suite).await[0].2, "needs_review");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_charge_is_unknown_there_is_no_other_attempt() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        suite.peers.fail_next(&[Fault::AnswerLost]);
        act(&shop, &id, "confirm", json!({})).await;
        grows_old(&suite).await;
        for verb in ["confirm", "cancel", "capture"] {
            assert_eq!(act(&shop, &id, verb, json!({})).await.body["payment_status"], "processing", "{verb}");
        }
        assert_eq!(at_provider(&suite, &id).await, (1, 1, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_or_release_that_stays_unknown_needs_review_until_it_is_resolved() {
    for (verb, after) in
        [("capture", ("succeeded".to_owned(), 0, 1_000, 0)), ("cancel", ("canceled".to_owned(), 0, 0, 0))]
    {
        on_each_database_with(SERVICES, &impatient(), |suite: Suite| {
            let after = after.clone();
            async move {
                let shop = suite.client("shop");
                let id = authorized(&shop).await;
                suite.peers.fail_next(&[Fault::AnswerLost]);
                assert_eq!(act(&shop, &id, verb, json!({})).await.status, 202);
                grows_old(&suite).await;
                assert_eq!(payment(&shop, &id).await["needs_review"], true);
                retry(&suite, Twice::MayHappen).await;
                assert_eq!(stands(&shop, &id).await, after);
                assert_eq!(payment(&shop, &id).await["needs_review"], false);
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_stays_unknown_needs_review_until_it_is_resolved_either_way() {
    for refused in [false, true] {
        on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
            let shop = suite.client("shop");
            let id = paid(&shop).await;
            suite.peers.fail_next(&[Fault::NotSent]);
            let reply = refund(&shop, &id, json!({ "amount": 300 })).await;
            assert_eq!(reply.status, 202);
            grows_old(&suite).await;
            assert_eq!(payment(&shop, &id).await["needs_review"], true);
            // What is set aside stays so: it may have been paid back.
            assert_eq!(stands(&shop, &id).await.3, 300);
            suite.published().await;
            if refused {
                suite.peers.fail_next(&[Fault::Says(409, r#"{"error": {"code": "account_closed"}}"#)]);
            }
            retry(&suite, Twice::MayHappen).await;
            let resolved = payment(&shop, &id).await;
            assert_eq!(resolved["needs_review"], false);
            assert_eq!(resolved["amount_refunded"], if refused { 0 } else { 300 });
            let made = shop.get(&format!("/v1/refunds/{}", reply.id())).await;
            assert_eq!(made.body["status"], if refused { "failed" } else { "succeeded" });
            let told = suite.published().await;
            let newest = told.iter().rfind(|e| e.subject.as_deref() == Some(id.as_str())).expect("an event");
            assert_eq!(newest.json().unwrap()["payment"], resolved);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_refunds_that_stay_unknown_need_review_until_both_are_resolved() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = paid(&shop).await;
        suite.peers.fail_next(&[Fault::NotSent; 2]);
        for _ in 0..2 {
            assert_eq!(refund(&shop, &id, json!({ "amount": 300 })).await.status, 202);
        }
        suite.drained().await;
        suite.advance(MAX_AGE);
        assert_eq!(suite.sweep().await, 2);
        for flagged in [true, false] {
            let open = open_effects(&suite).await;
            let retried = effects::retry(suite.service("payments"), &open[0].0, Twice::MayHappen).await;
            assert_eq!(retried.expect("a retry"), Retried::Wanted);
            assert_eq!(suite.sweep().await, 1);
            assert_eq!(payment(&shop, &id).await["needs_review"], flagged);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_stays_unknown_needs_review_whatever_becomes_of_the_rest_of_its_payment() {
    for (verb, body) in
        [("capture", json!({ "amount": 100, "final": false })), ("capture", json!({})), ("cancel", json!({}))]
    {
        on_each_database_with(SERVICES, &impatient(), |suite: Suite| {
            let body = body.clone();
            async move {
                let shop = suite.client("shop");
                let id = authorized(&shop).await;
                act(&shop, &id, "capture", json!({ "amount": 400, "final": false })).await;
                suite.peers.fail_next(&[Fault::NotSent]);
                assert_eq!(refund(&shop, &id, json!({ "amount": 300 })).await.status, 202);
                grows_old(&suite).await;
                assert_eq!(payment(&shop, &id).await["needs_review"], true);
                // This suite does not wait long: it may still be under way.
                assert!(matches!(act(&shop, &id, verb, body).await.status, 200 | 202));
                suite.drained().await;
                assert_eq!(
                    payment(&shop, &id).await["needs_review"],
                    true,
                    "{verb} says nothing of the refund"
                );
                retry(&suite, Twice::MayHappen).await;
                assert_eq!(payment(&shop, &id).await["needs_review"], false);
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_stays_unknown_when_it_is_retried_needs_a_person_once_more_and_is_one_refund() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = paid(&shop).await;
        suite.peers.fail_next(&[Fault::NotSent]);
        assert_eq!(refund(&shop, &id, json!({ "amount": 300 })).await.status, 202);
        grows_old(&suite).await;
        suite.published().await;
        let open = open_effects(&suite).await;
        suite.peers.fail_next(&[Fault::NotSent]);
        let retried = effects::retry(suite.service("payments"), &open[0].0, Twice::MayHappen).await;
        assert_eq!(retried.expect("a retry"), Retried::Wanted);
        assert_eq!(suite.sweep().await, 1);
        grows_old(&suite).await;
        let told = suite.published().await;
        let of_it = told.iter().filter(|event| event.subject.as_deref() == Some(id.as_str()));
        let kinds: Vec<&str> = of_it.map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["florin.payment.needs_review.v1"]);
        assert_eq!(payment(&shop, &id).await["needs_review"], true);
        retry(&suite, Twice::MayHappen).await;
        assert_eq!(payment(&shop, &id).await["needs_review"], false);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_speaks_of_another_amount_or_currency_needs_review_and_is_no_decline() {
    on_each_database_with(SERVICES, &Settings::default(), |suite: Suite| async move {
        let shop = suite.client("shop");
        for body in [
            r#"{"id": "ch_1", "status": "succeeded", "amount": 999, "currency": "EUR"}"#,
            r#"{"id": "ch_1", "status": "succeeded", "amount": 1000, "currency": "USD"}"#,
        ] {
            let id = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
            suite.peers.fail_next(&[Fault::Says(200, body)]);
            let reply = act(&shop, &id, "confirm", json!({})).await;
            assert_eq!((reply.status, &reply.body["needs_review"]), (200, &json!(true)), "{reply:?}");
            assert_eq!(stands(&shop, &id).await, ("processing".to_owned(), 0, 0, 0));
            // The provider is asked about it once more, and must not be told there what the next one is to hear.
            suite.drained().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_to_be_reserved_and_was_taken_needs_review_and_so_does_the_contrary() {
    on_each_database_with(SERVICES, &Settings::default(), |suite: Suite| async move {
        let shop = suite.client("shop");
        for (method, status) in [("manual", "succeeded"), ("automatic", "authorized")] {
            let body: &'static str =
                format!(r#"{{"id": "ch_1", "status": "{status}", "amount": 1000, "currency": "EUR"}}"#)
                    .leak();
            let of = json!({ "payment_method": "pm_card_visa", "capture_method": method });
            let id = created(&shop, of).await;
            suite.peers.fail_next(&[Fault::Says(200, body)]);
            let reply = act(&shop, &id, "confirm", json!({})).await;
            assert_eq!((reply.status, &reply.body["needs_review"]), (200, &json!(true)), "{reply:?}");
            assert_eq!(stands(&shop, &id).await, ("processing".to_owned(), 0, 0, 0));
            suite.drained().await;
        }
    })
    .await;
}

const CONTRADICTS: Fault =
    Fault::Says(200, r#"{"id": "ch_1", "status": "succeeded", "amount": 999, "currency": "EUR"}"#);
const AGREES: Fault =
    Fault::Says(200, r#"{"id": "ch_1", "status": "succeeded", "amount": 1000, "currency": "EUR"}"#);

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_contradicts_us_is_kept_and_looked_up_until_it_does_not() {
    on_each_database_with(SERVICES, &Settings::default(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        suite.published().await;
        // What was said when it was charged, what the look-up then says, and what it says to a person's first retry.
        suite.peers.fail_next(&[CONTRADICTS; 3]);
        assert_eq!(act(&shop, &id, "confirm", json!({})).await.status, 200);
        suite.drained().await;
        let service = suite.service("payments");
        for again in [true, false] {
            let waits = payment(&shop, &id).await;
            assert_eq!((&waits["charge"], &waits["needs_review"]), (&json!("ch_1"), &json!(true)));
            let open = effects::list(service, 100).await.expect("the effects");
            let [effect] = open.as_slice() else { panic!("{open:?}") };
            assert_eq!(
                (effect.function.as_str(), effect.state.as_str()),
                ("payments.look_up_charge", "needs_review")
            );
            assert!(effect.last_error.as_deref().is_some_and(|why| why.contains("ch_1")), "{effect:?}");
            assert_eq!(backlog::read(service).await.expect("the backlog").needs_review.count, 1);
            suite.advance(MAX_AGE);
            assert_eq!(suite.sweep().await, 0, "it is tried although a person must look");
            if again {
                let retried = effects::retry(service, &effect.id, Twice::Never).await.expect("a retry");
                assert_eq!(retried, Retried::Wanted, "a look-up charges nobody");
                assert_eq!(suite.sweep().await, 1);
            }
        }
        suite.peers.fail_next(&[AGREES]);
        retry(&suite, Twice::Never).await;
        assert_eq!(stands(&shop, &id).await, ("succeeded".to_owned(), 0, 1_000, 0));
        assert_eq!(payment(&shop, &id).await["needs_review"], false);
        let requests: Vec<_> =
            suite.peers.seen().into_iter().map(|o| (o.request.method, o.request.path)).collect();
        let look_up = ("GET", "/v1/charges/ch_1".to_owned());
        assert_eq!(requests[requests.len() - 3..], [look_up.clone(), look_up.clone(), look_up]);
        let told = suite.published().await;
        let kinds: Vec<_> =
            told.iter().map(|e| e.kind.as_str()).filter(|k| k.contains(".payment.")).collect();
        assert_eq!(kinds, ["florin.payment.needs_review.v1", "florin.payment.succeeded.v1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contradicting_charge_that_a_person_gave_up_at_the_provider_frees_the_payment() {
    on_each_database_with(SERVICES, &Settings::default(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        suite.peers.fail_next(&[CONTRADICTS; 2]);
        act(&shop, &id, "confirm", json!({})).await;
        suite.drained().await;
        let voided = r#"{"id": "ch_1", "status": "voided", "amount": 999, "currency": "EUR"}"#;
        suite.peers.fail_next(&[Fault::Says(200, voided)]);
        retry(&suite, Twice::Never).await;
        assert_eq!(stands(&shop, &id).await, ("requires_payment_method".to_owned(), 0, 0, 0));
        assert_eq!(payment(&shop, &id).await["needs_review"], false);
        let paid = act(&shop, &id, "confirm", json!({ "payment_method": "pm_card_visa" })).await;
        assert_eq!((paid.status, &paid.body["status"]), (200, &json!("succeeded")));
    })
    .await;
}
