//! What is set aside is captured or let go, and never more than there is.

use serde_json::{Value, json};

use crate::provider::{Provider, numbered, with_status};

async fn capture(provider: &Provider, id: &str, key: &str, amount: i64, last: bool) -> Value {
    let path = format!("/v1/charges/{id}/capture");
    provider.send(&path, key, json!({ "amount": amount, "final": last })).await.json()
}

#[tokio::test]
async fn captures_may_be_partial_until_one_is_final() {
    let provider = Provider::start().await;
    let id = provider.charged("k", false).await;
    let first = capture(&provider, &id, "c1", 300, false).await;
    assert_eq!((&first["status"], &first["amount_captured"]), (&json!("authorized"), &json!(300)));
    let second = capture(&provider, &id, "c2", 200, true).await;
    assert_eq!((&second["status"], &second["amount_captured"]), (&json!("succeeded"), &json!(500)));
    assert_eq!(capture(&provider, &id, "c3", 1, true).await["error"]["code"], "charge_state_conflict");
    provider.stop().await;
}

#[tokio::test]
async fn a_charge_that_is_captured_to_the_last_cent_has_succeeded() {
    let provider = Provider::start().await;
    let id = provider.charged("k", false).await;
    capture(&provider, &id, "c1", 400, false).await;
    let all = capture(&provider, &id, "c2", 600, false).await;
    assert_eq!((&all["status"], &all["amount_captured"]), (&json!("succeeded"), &json!(1000)));
    provider.stop().await;
}

#[tokio::test]
async fn more_than_is_left_is_not_captured() {
    let provider = Provider::start().await;
    let id = provider.charged("k", false).await;
    capture(&provider, &id, "c1", 400, false).await;
    let path = format!("/v1/charges/{id}/capture");
    for (key, amount) in [("over", 601), ("far over", 999_999_999_999_i64)] {
        let answer = provider.send(&path, key, json!({ "amount": amount, "final": true })).await;
        assert_eq!(answer.refusal(), (409, "capture_exceeds_remaining".into()), "{amount}");
    }
    assert_eq!(provider.state(&id).await["amount_captured"], 400);
    provider.stop().await;
}

#[tokio::test]
async fn parallel_partial_captures_never_take_more_than_was_authorized() {
    let provider = Provider::start().await;
    let id = provider.charged("k", false).await;
    let path = format!("/v1/charges/{id}/capture");
    let body = json!({ "amount": 30, "final": false });
    let answers = provider.parallel(&path, numbered("c", 50), &body).await;
    assert_eq!((with_status(&answers, 200), with_status(&answers, 409)), (33, 17));
    assert_eq!(provider.state(&id).await["amount_captured"], 990);
    let record = &provider.records("k").await["records"][0];
    assert_eq!(record["captures"], json!({ "count": 33, "amount": 990 }));
    provider.stop().await;
}

#[tokio::test]
async fn only_what_is_authorized_is_captured() {
    let provider = Provider::start().await;
    for (payment_method, taken) in
        [("pm_card_visa", 1000), ("pm_card_declined", 0), ("pm_card_authentication_required", 0)]
    {
        let charge = provider.charge(payment_method, payment_method, true).await.done();
        let id = charge["id"].as_str().unwrap();
        let key = format!("c-{payment_method}");
        assert_eq!(capture(&provider, id, &key, 1, true).await["error"]["code"], "charge_state_conflict");
        assert_eq!(provider.state(id).await["amount_captured"], taken);
    }
    provider.stop().await;
}

#[tokio::test]
async fn one_of_capture_and_void_wins() {
    let provider = Provider::start().await;
    let id = provider.charged("k", false).await;
    let (capture, void) = (format!("/v1/charges/{id}/capture"), format!("/v1/charges/{id}/void"));
    let (captured, voided) = tokio::join!(
        provider.send(&capture, "c", json!({ "amount": 1000, "final": true })),
        provider.send(&void, "v", json!({})),
    );
    let statuses = [captured.status, voided.status];
    assert!(statuses == [200, 409] || statuses == [409, 200], "{statuses:?}");
    let charge = provider.state(&id).await;
    let (status, taken) = if captured.status == 200 { ("succeeded", 1000) } else { ("voided", 0) };
    assert_eq!((&charge["status"], &charge["amount_captured"]), (&json!(status), &json!(taken)));
    provider.stop().await;
}

#[tokio::test]
async fn a_void_lets_go_once_what_was_not_captured() {
    let provider = Provider::start().await;
    let id = provider.charged("k", false).await;
    capture(&provider, &id, "c", 250, false).await;
    let path = format!("/v1/charges/{id}/void");
    let voided = provider.send(&path, "v", json!({})).await.done();
    assert_eq!((&voided["status"], &voided["amount_captured"]), (&json!("voided"), &json!(250)));
    assert_eq!(provider.send(&path, "v2", json!({})).await.refusal(), (409, "charge_state_conflict".into()));
    // What was captured before can still be given back.
    provider.send("/v1/refunds", "r", json!({ "charge": id, "amount": 250 })).await.done();
    let record = &provider.records("k").await["records"][0];
    assert_eq!(record["voids"], json!({ "count": 1, "amount": 750 }));
    provider.stop().await;
}

#[tokio::test]
async fn a_void_needs_no_body_and_a_succeeded_charge_has_none() {
    let provider = Provider::start().await;
    let (open, done) = (provider.charged("open", false).await, provider.charged("done", true).await);
    let void = |id: &str| {
        let url = format!("{}/v1/charges/{id}/void", provider.base);
        crate::provider::read(provider.http.post(url).header("idempotency-key", format!("v-{id}")))
    };
    assert_eq!(void(&open).await.done()["status"], "voided");
    assert_eq!(void(&done).await.refusal(), (409, "charge_state_conflict".into()));
    provider.stop().await;
}
