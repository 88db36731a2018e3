//! The records say how often each thing happened.

use serde_json::json;

use crate::provider::{Provider, a_charge};

#[tokio::test]
async fn everything_that_happened_to_a_reference_is_counted() {
    let provider = Provider::start().await;
    let declined =
        provider.send("/v1/charges", "a", a_charge("order", "pm_card_declined", false)).await.done();
    let charge = provider.send("/v1/charges", "b", a_charge("order", "pm_card_visa", false)).await.done();
    let id = charge["id"].as_str().unwrap();
    let capture = format!("/v1/charges/{id}/capture");
    for _ in 0..2 {
        provider.send(&capture, "c1", json!({ "amount": 400, "final": false })).await.done();
    }
    provider.send(&capture, "c2", json!({ "amount": 700, "final": true })).await;
    provider.send(&capture, "c3", json!({ "amount": 500, "final": false })).await.done();
    provider.send("/v1/refunds", "r1", json!({ "charge": id, "amount": 150 })).await.done();
    provider.send(&format!("/v1/charges/{id}/void"), "v", json!({})).await.done();

    let records = provider.records("order").await;
    let counts = |name: &str| records[name].as_i64().unwrap();
    assert_eq!(
        ["charges", "captures", "refunds", "voids"].map(counts),
        [2, 2, 1, 1],
        "a replay or a refusal was counted: {records}"
    );
    assert_eq!(records["records"][0]["charge"], declined);
    assert_eq!(records["records"][0]["captures"], json!({ "count": 0, "amount": 0 }));
    let taken = &records["records"][1];
    assert_eq!(taken["charge"], provider.state(id).await);
    assert_eq!(taken["captures"], json!({ "count": 2, "amount": 900 }));
    assert_eq!(taken["refunds"], json!({ "count": 1, "amount": 150 }));
    assert_eq!(taken["voids"], json!({ "count": 1, "amount": 100 }));
    let asked: Vec<_> = records["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["idempotency_key"], row["requests"], row["status"]]))
        .collect();
    assert_eq!(
        json!(asked),
        json!([
            ["a", 1, 200],
            ["b", 1, 200],
            ["c1", 2, 200],
            ["c2", 1, 409],
            ["c3", 1, 200],
            ["r1", 1, 200],
            ["v", 1, 200]
        ])
    );
    provider.stop().await;
}

#[tokio::test]
async fn the_records_of_a_charge_are_its_own() {
    let provider = Provider::start().await;
    let (one, _) = (provider.charged("one", true).await, provider.charged("two", true).await);
    let records = provider.get(&format!("/v1/records?charge={one}")).await.done();
    assert_eq!((&records["charges"], &records["captures"]), (&json!(1), &json!(1)), "{records}");
    assert_eq!(records["requests"][0]["idempotency_key"], "one");
    provider.stop().await;
}

#[tokio::test]
async fn records_need_one_filter() {
    let provider = Provider::start().await;
    for query in ["", "?reference=a&charge=b", "?colour=red", "?reference=a&reference=b"] {
        let answer = provider.get(&format!("/v1/records{query}")).await;
        assert_eq!(answer.refusal(), (400, "invalid_request".into()), "{query}");
    }
    provider.stop().await;
}

#[tokio::test]
async fn the_summary_adds_up_by_currency_and_names_what_was_taken_twice() {
    let provider = Provider::start().await;
    let charge = |key: &'static str, reference: &str, currency: &str, payment_method: &str| {
        let mut body = a_charge(reference, payment_method, true);
        body["currency"] = json!(currency);
        provider.send("/v1/charges", key, body)
    };
    charge("k1", "once", "EUR", "pm_card_visa").await.done();
    charge("k1", "once", "EUR", "pm_card_visa").await.done();
    charge("k2", "retried", "EUR", "pm_card_declined").await.done();
    charge("k3", "retried", "EUR", "pm_card_visa").await.done();
    charge("k4", "twice", "JPY", "pm_card_visa").await.done();
    let second = charge("k5", "twice", "JPY", "pm_card_visa").await.done();
    provider.send("/v1/refunds", "r", json!({ "charge": second["id"], "amount": 10 })).await.done();
    assert_eq!(
        provider.get("/v1/records/summary").await.done(),
        json!({
            "charges": { "declined": 1, "succeeded": 4 },
            "currencies": {
                "EUR": {
                    "captured": { "count": 2, "amount": 2000 },
                    "refunded": { "count": 0, "amount": 0 },
                },
                "JPY": {
                    "captured": { "count": 2, "amount": 2000 },
                    "refunded": { "count": 1, "amount": 10 },
                },
            },
            "requests": { "keys": 6, "requests": 7, "mismatched": 0 },
            "duplicates": 1,
            "duplicate_references": [{ "reference": "twice", "charges": 2, "amount_captured": 2000 }],
        })
    );
    provider.stop().await;
}

#[tokio::test]
async fn the_summary_of_nothing_is_nothing() {
    let provider = Provider::start().await;
    assert_eq!(
        provider.get("/v1/records/summary").await.done(),
        json!({
            "charges": {},
            "currencies": {},
            "requests": { "keys": 0, "requests": 0, "mismatched": 0 },
            "duplicates": 0,
            "duplicate_references": [],
        })
    );
    provider.stop().await;
}
