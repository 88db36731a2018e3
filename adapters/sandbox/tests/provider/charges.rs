//! How a charge goes is its payment method's to say.

use serde_json::{Value, json};

use crate::provider::Provider;

#[tokio::test]
async fn a_payment_method_alone_decides_how_a_charge_begins() {
    let provider = Provider::start().await;
    for (payment_method, status, decline_code) in [
        ("pm_card_visa", "succeeded", Value::Null),
        ("pm_card_declined", "declined", json!("generic_decline")),
        ("pm_card_insufficient_funds", "declined", json!("insufficient_funds")),
        ("pm_card_expired", "declined", json!("expired_card")),
        ("pm_card_authentication_required", "requires_action", Value::Null),
        ("pm_card_slow", "succeeded", Value::Null),
    ] {
        let charge = provider.charge(payment_method, payment_method, true).await.done();
        let captured = if status == "succeeded" { 1000 } else { 0 };
        assert_eq!(charge["status"], status, "{charge}");
        assert_eq!(charge["decline_code"], decline_code, "{charge}");
        assert_eq!(charge["amount_captured"], captured, "{charge}");
        assert_eq!(charge["action_url"].is_string(), status == "requires_action", "{charge}");
        assert_eq!(provider.state(charge["id"].as_str().unwrap()).await, charge);
    }
    provider.stop().await;
}

#[tokio::test]
async fn a_charge_shows_what_was_asked_and_when() {
    let provider = Provider::start().await;
    let mut charge = provider.charge("order-7", "pm_card_visa", false).await.done();
    let id = charge.as_object_mut().unwrap().remove("id").unwrap();
    assert!(id.as_str().unwrap().starts_with("ch_"), "{id}");
    assert_eq!(
        charge,
        json!({
            "status": "authorized",
            "amount": 1000,
            "amount_captured": 0,
            "amount_refunded": 0,
            "currency": "EUR",
            "payment_method": "pm_card_visa",
            "reference": "order-7",
            "created_at": "2026-03-01T09:30:00.000000Z",
        })
    );
    provider.stop().await;
}

#[tokio::test]
async fn an_unknown_payment_method_is_refused_by_name() {
    let provider = Provider::start().await;
    let answer = provider.charge("k", "pm_card_gold", true).await;
    assert_eq!(answer.refusal(), (400, "unknown_payment_method".into()));
    // Nothing was begun, so the key is free.
    assert_eq!(provider.charge("k", "pm_card_visa", true).await.status, 200);
    provider.stop().await;
}

#[tokio::test]
async fn what_is_not_a_charge_is_refused_by_its_field() {
    let provider = Provider::start().await;
    for (wrong, field) in [
        (json!({ "amount": 0 }), "/amount"),
        (json!({ "amount": -1 }), "/amount"),
        (json!({ "amount": 10.5 }), "/amount"),
        (json!({ "amount": "1000" }), "/amount"),
        (json!({ "amount": 1_000_000_000_000_i64 }), "/amount"),
        (json!({ "currency": "eur" }), "/currency"),
        (json!({ "currency": "XTS" }), "/currency"),
        (json!({ "capture": "yes" }), "/capture"),
        (json!({ "reference": "" }), "/reference"),
        (json!({ "return_url": "javascript:alert(1)" }), "/return_url"),
        (json!({ "return_url": "/relative" }), "/return_url"),
        (json!({ "return_url": "http://shop.example/\r\nSet-Cookie: a=b" }), "/return_url"),
        (json!({ "colour": "red" }), "/colour"),
    ] {
        let mut body = crate::provider::a_charge("r", "pm_card_visa", true);
        body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let answer = provider.send("/v1/charges", "k", body).await;
        assert_eq!(answer.refusal(), (400, "invalid_request".into()), "{wrong}");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(field), "{wrong}: {message}");
    }
    assert_eq!(provider.records("r").await["charges"], 0);
    provider.stop().await;
}

#[tokio::test]
async fn there_is_no_charge_under_another_identifier() {
    let provider = Provider::start().await;
    for id in ["ch_00000000000070008000000000000000", "ch_1", "re_1", "%FF", "..%2F..%2Frecords"] {
        let answer = provider.get(&format!("/v1/charges/{id}")).await;
        assert_eq!(answer.refusal(), (404, "charge_not_found".into()), "{id}");
    }
    provider.stop().await;
}
