//! An idempotency key: asked as often as you like, done once.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::json;

use crate::provider::{Provider, a_charge, numbered, read};

#[tokio::test]
async fn fifty_parallel_requests_with_one_key_are_one_charge() {
    let provider = Provider::start().await;
    let body = a_charge("order", "pm_card_visa", true);
    let answers = provider.parallel("/v1/charges", vec!["k".into(); 50], &body).await;
    let bodies: HashSet<_> = answers.iter().map(|answer| (answer.status, &answer.text)).collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(answers.iter().filter(|answer| answer.replayed).count(), 49);
    let records = provider.records("order").await;
    assert_eq!((&records["charges"], &records["captures"]), (&json!(1), &json!(1)), "{records}");
    assert_eq!(records["requests"][0]["requests"], 50, "{records}");
    provider.stop().await;
}

#[tokio::test]
async fn a_key_repeats_its_answer_byte_for_byte_after_the_charge_went_on() {
    let provider = Provider::start().await;
    let first = provider.charge("k", "pm_card_visa", false).await;
    let id = first.json()["id"].as_str().unwrap().to_owned();
    provider.send(&format!("/v1/charges/{id}/capture"), "c", json!({ "amount": 1000 })).await.done();
    let again = provider.charge("k", "pm_card_visa", false).await;
    assert_eq!((again.status, &again.text, again.replayed), (first.status, &first.text, true));
    assert_eq!(provider.state(&id).await["status"], "succeeded");
    provider.stop().await;
}

#[tokio::test]
async fn the_same_request_in_another_spelling_is_the_same_request() {
    let provider = Provider::start().await;
    let first = provider.charge("k", "pm_card_visa", true).await;
    let other = r#"{ "reference":"k", "payment_method":"pm_card_visa", "currency":"EUR",
                     "amount":1000, "return_url":null }"#;
    let url = format!("{}/v1/charges", provider.base);
    let again = read(provider.http.post(url).header("idempotency-key", "k").body(other)).await;
    assert_eq!(again.text, first.text);
    provider.stop().await;
}

#[tokio::test]
async fn a_key_with_another_request_is_a_mismatch_and_changes_nothing() {
    let provider = Provider::start().await;
    let id = provider.charged("k", true).await;
    let mut dearer = a_charge("k", "pm_card_visa", true);
    dearer["amount"] = json!(1001);
    for (path, body) in [
        ("/v1/charges", dearer),
        ("/v1/charges", a_charge("k", "pm_card_declined", true)),
        ("/v1/charges", a_charge("other", "pm_card_visa", true)),
        ("/v1/refunds", json!({ "charge": id, "amount": 1000 })),
    ] {
        let answer = provider.send(path, "k", body.clone()).await;
        assert_eq!(answer.refusal(), (409, "idempotency_mismatch".into()), "{path} {body}");
    }
    let records = provider.records("k").await;
    assert_eq!((&records["charges"], &records["refunds"]), (&json!(1), &json!(0)), "{records}");
    assert_eq!(records["requests"][0]["requests"], 5, "{records}");
    assert_eq!(records["requests"][0]["mismatched"], 4, "{records}");
    assert_eq!(provider.records("other").await["requests"], json!([]));
    provider.stop().await;
}

#[tokio::test]
async fn a_refusal_is_kept_under_its_key_too() {
    let provider = Provider::start().await;
    let id = provider.charged("k", false).await;
    let refund = json!({ "charge": id, "amount": 600 });
    let refused = provider.send("/v1/refunds", "r", refund.clone()).await;
    assert_eq!(refused.refusal(), (409, "charge_state_conflict".into()));
    provider.send(&format!("/v1/charges/{id}/capture"), "c", json!({ "amount": 1000 })).await.done();
    // By now it could be refunded, but whoever heard no must not find out later that it was done after all.
    let again = provider.send("/v1/refunds", "r", refund.clone()).await;
    assert_eq!((again.status, &again.text, again.replayed), (409, &refused.text, true));
    provider.send("/v1/refunds", "another", refund).await.done();
    provider.stop().await;
}

#[tokio::test]
async fn no_change_without_exactly_one_key() {
    let provider = Provider::start().await;
    let id = provider.charged("k", false).await;
    for (path, body) in [
        ("/v1/charges".to_owned(), a_charge("r", "pm_card_visa", true)),
        (format!("/v1/charges/{id}/capture"), json!({ "amount": 1 })),
        (format!("/v1/charges/{id}/void"), json!({})),
        ("/v1/refunds".to_owned(), json!({ "charge": id, "amount": 1 })),
    ] {
        let bare = || provider.http.post(format!("{}{path}", provider.base)).json(&body);
        for request in [
            bare(),
            bare().header("idempotency-key", ""),
            bare().header("idempotency-key", "x".repeat(256)),
            bare().header("idempotency-key", "a").header("idempotency-key", "b"),
        ] {
            let answer = read(request).await;
            assert_eq!(answer.refusal(), (400, "idempotency_key_required".into()), "{path}");
        }
    }
    assert_eq!(provider.state(&id).await["status"], "authorized");
    provider.stop().await;
}

#[tokio::test]
async fn each_of_many_parallel_requests_hears_its_own_answer() {
    let provider = Provider::start().await;
    let keys = numbered("order", 50);
    let answers = join_all(keys.iter().map(|key| provider.charge(key, "pm_card_visa", true))).await;
    for (key, answer) in keys.iter().zip(answers) {
        let charge = answer.done();
        assert_eq!(charge["reference"], **key);
        assert_eq!(provider.state(charge["id"].as_str().unwrap()).await, charge);
    }
    provider.stop().await;
}
