//! What was captured can be given back, once.

use serde_json::json;

use crate::provider::{Provider, numbered, with_status};

#[tokio::test]
async fn a_refund_gives_back_a_part_and_another_the_rest() {
    let provider = Provider::start().await;
    let id = provider.charged("k", true).await;
    let refund = provider.send("/v1/refunds", "r1", json!({ "charge": id, "amount": 400 })).await.done();
    assert!(refund["id"].as_str().unwrap().starts_with("re_"), "{refund}");
    assert_eq!((&refund["status"], &refund["amount"]), (&json!("succeeded"), &json!(400)));
    assert_eq!((&refund["charge"], &refund["currency"]), (&json!(id), &json!("EUR")));
    provider.send("/v1/refunds", "r2", json!({ "charge": id, "amount": 600 })).await.done();
    let charge = provider.state(&id).await;
    assert_eq!((&charge["status"], &charge["amount_refunded"]), (&json!("succeeded"), &json!(1000)));
    provider.stop().await;
}

#[tokio::test]
async fn more_than_is_left_is_not_refunded() {
    let provider = Provider::start().await;
    let id = provider.charged("k", true).await;
    provider.send("/v1/refunds", "r1", json!({ "charge": id, "amount": 400 })).await.done();
    let over = provider.send("/v1/refunds", "r2", json!({ "charge": id, "amount": 601 })).await;
    assert_eq!(over.refusal(), (409, "refund_exceeds_remaining".into()));
    assert_eq!(provider.state(&id).await["amount_refunded"], 400);
    provider.stop().await;
}

#[tokio::test]
async fn only_what_was_captured_is_refunded() {
    let provider = Provider::start().await;
    let id = provider.charged("k", false).await;
    let path = format!("/v1/charges/{id}/capture");
    provider.send(&path, "c", json!({ "amount": 100, "final": false })).await.done();
    let over = provider.send("/v1/refunds", "r", json!({ "charge": id, "amount": 101 })).await;
    assert_eq!(over.refusal(), (409, "refund_exceeds_remaining".into()));
    provider.send("/v1/refunds", "r2", json!({ "charge": id, "amount": 100 })).await.done();
    provider.stop().await;
}

#[tokio::test]
async fn parallel_partial_refunds_never_give_back_more_than_was_taken() {
    let provider = Provider::start().await;
    let id = provider.charged("k", true).await;
    let body = json!({ "charge": id, "amount": 70 });
    let answers = provider.parallel("/v1/refunds", numbered("r", 50), &body).await;
    assert_eq!((with_status(&answers, 200), with_status(&answers, 409)), (14, 36));
    assert_eq!(provider.state(&id).await["amount_refunded"], 980);
    let record = &provider.records("k").await["records"][0];
    assert_eq!(record["refunds"], json!({ "count": 14, "amount": 980 }));
    provider.stop().await;
}

#[tokio::test]
async fn fifty_parallel_full_refunds_with_one_key_are_one_refund() {
    let provider = Provider::start().await;
    let id = provider.charged("k", true).await;
    let body = json!({ "charge": id, "amount": 1000 });
    let answers = provider.parallel("/v1/refunds", vec!["r".into(); 50], &body).await;
    assert_eq!(with_status(&answers, 200), 50);
    assert!(answers.iter().all(|answer| answer.text == answers[0].text));
    assert_eq!(provider.records("k").await["refunds"], 1);
    provider.stop().await;
}

#[tokio::test]
async fn a_charge_that_is_not_there_is_not_refunded() {
    let provider = Provider::start().await;
    for charge in ["ch_00000000000070008000000000000000", "something"] {
        let answer = provider.send("/v1/refunds", charge, json!({ "charge": charge, "amount": 1 })).await;
        assert_eq!(answer.refusal(), (404, "charge_not_found".into()), "{charge}");
    }
    provider.stop().await;
}

#[tokio::test]
async fn what_cannot_be_done_undoes_nothing_of_those_who_came_with_it() {
    let provider = Provider::start().await;
    let id = provider.charged("k", true).await;
    let refund = |charge: &str| json!({ "charge": charge, "amount": 10 });
    let (good, bad) = (refund(&id), refund("ch_00000000000070008000000000000000"));
    let (done, refused) = tokio::join!(
        provider.parallel("/v1/refunds", numbered("good", 25), &good),
        provider.parallel("/v1/refunds", numbered("bad", 25), &bad),
    );
    assert_eq!((with_status(&done, 200), with_status(&refused, 404)), (25, 25));
    assert_eq!(provider.state(&id).await["amount_refunded"], 250);
    // Nothing is left of the others, not even their keys.
    let again = provider.parallel("/v1/refunds", numbered("bad", 25), &good).await;
    assert_eq!(with_status(&again, 200), 25);
    provider.stop().await;
}
