//! The life of several payments as customers live it, and what the audit records have to say of it.

use http::Method;
use serde_json::json;

use crate::audit::{event, operation};
use crate::client::{Client, Outgoing};
use crate::sandbox::SandboxProcess;

/// Walks every way of the slice, each call at another of these processes in turn; the lines that have to be
/// recorded.
///
/// # Panics
/// When an answer is not as promised.
pub async fn walk(clients: &[Client], sandbox: &SandboxProcess) -> Vec<String> {
    let mut turn = clients.iter().cycle();
    let mut next = || turn.next().expect("a client");
    let mut lines = authorize_capture_refund(&mut next, sandbox).await;
    lines.extend(take_at_once(&mut next, sandbox).await);
    lines.extend(decline(&mut next, sandbox).await);
    lines.extend(authenticate(&mut next, sandbox).await);
    lines
}

type Next<'n, 'c> = &'n mut dyn FnMut() -> &'c Client;

async fn authorize_capture_refund(next: Next<'_, '_>, sandbox: &SandboxProcess) -> Vec<String> {
    let body = json!({ "amount": 5_000, "currency": "EUR", "capture_method": "manual", "payment_method": "pm_card_visa" });
    let created = next().post_once("/v1/payments", "create", body).await.expect(201);
    let payment = created.id();
    assert_eq!(created.header("location"), Some(format!("/v1/payments/{payment}").as_str()));
    let path = format!("/v1/payments/{payment}");

    let confirmed = next().post_once(&format!("{path}/confirm"), "confirm", json!({})).await.expect(200);
    assert_eq!(confirmed.body["status"], "requires_capture");
    assert_eq!(confirmed.body["amount_capturable"], 5_000);
    let replayed = next().post_once(&format!("{path}/confirm"), "confirm", json!({})).await.expect(200);
    assert_eq!(replayed.bytes, confirmed.bytes);
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"));

    let too_much = next().post(&format!("{path}/capture"), json!({ "amount": 5_001 })).await.expect(409);
    assert_eq!(too_much.code(), "capture_exceeds_remaining");
    let captured = next().post(&format!("{path}/capture"), json!({ "amount": 3_000 })).await.expect(200);
    assert_eq!(captured.body["amount_received"], 3_000);
    assert_eq!(captured.body["status"], "succeeded");

    let refund = next().post("/v1/refunds", json!({ "payment": payment, "amount": 1_000 })).await.expect(201);
    assert_eq!(refund.body["status"], "succeeded");
    let now = next().get(&path).await.expect(200);
    assert_eq!(now.body["amount_refunded"], 1_000);

    let records = sandbox.records_of(&payment).await;
    assert_eq!(
        (&records["charges"], &records["captures"], &records["refunds"]),
        (&json!(1), &json!(1), &json!(1)),
        "{records}"
    );
    let refund = refund.id();
    vec![
        operation("create_payment", &payment, "succeeded"),
        event("payment.created", &payment, 1),
        operation("confirm_payment", &payment, "accepted"),
        operation("record_charge", &payment, "succeeded"),
        event("payment.authorized", &payment, 3),
        operation("capture_payment", &payment, "refused"),
        operation("capture_payment", &payment, "accepted"),
        operation("record_capture", &payment, "succeeded"),
        event("payment.captured", &payment, 5),
        operation("create_refund", &refund, "accepted"),
        event("refund.created", &refund, 1),
        operation("record_refund", &refund, "succeeded"),
        event("refund.succeeded", &refund, 2),
        event("payment.refunded", &payment, 7),
    ]
}

async fn take_at_once(next: Next<'_, '_>, sandbox: &SandboxProcess) -> Vec<String> {
    let body = json!({ "amount": 700, "currency": "JPY", "confirm": true, "payment_method": "pm_card_visa", "reference": "order-7" });
    let paid = next().post_once("/v1/payments", "at-once", body.clone()).await.expect(201);
    assert_eq!(paid.body["status"], "succeeded");
    let payment = paid.id();
    // The natural key holds where the idempotency key is another.
    let again = next().post_once("/v1/payments", "at-once-2", body).await.expect(409);
    assert_eq!(again.body["payment_id"], json!(payment));
    sandbox.assert_charged_once(&payment).await;
    vec![
        operation("create_payment", &payment, "accepted"),
        event("payment.created", &payment, 1),
        operation("record_charge", &payment, "succeeded"),
        event("payment.succeeded", &payment, 2),
        operation("create_payment", "-", "refused"),
    ]
}

async fn decline(next: Next<'_, '_>, sandbox: &SandboxProcess) -> Vec<String> {
    let body =
        json!({ "amount": 900, "currency": "USD", "confirm": true, "payment_method": "pm_card_declined" });
    let declined = next().post_once("/v1/payments", "declined", body).await.expect(402);
    assert_eq!(declined.code(), "card_declined");
    assert_eq!(declined.body["decline_code"], "generic_decline");
    let payment = declined.body["payment"]["id"].as_str().expect("the payment is inside").to_owned();
    assert_eq!(declined.header("location"), Some(format!("/v1/payments/{payment}").as_str()));
    assert_eq!(sandbox.records_of(&payment).await["captures"], 0);
    vec![
        operation("create_payment", &payment, "accepted"),
        event("payment.created", &payment, 1),
        operation("record_charge", &payment, "declined"),
        event("payment.declined", &payment, 2),
    ]
}

async fn authenticate(next: Next<'_, '_>, sandbox: &SandboxProcess) -> Vec<String> {
    let body = json!({
        "amount": 1_100, "currency": "EUR", "confirm": true, "return_url": "https://shop.example/thanks",
        "payment_method": "pm_card_authentication_required",
    });
    let waiting = next().post_once("/v1/payments", "authenticated", body).await.expect(201);
    assert_eq!(waiting.body["status"], "requires_action");
    let payment = waiting.id();
    let page = waiting.body["next_action"]["url"].as_str().expect("an address").to_owned();

    // The browser, at the provider's page, and sent back from there to us and on to the shop.
    let path = page.strip_prefix(sandbox.base()).expect("a page of the sandbox");
    let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    let form = Outgoing { headers, body: b"decision=approve".to_vec() };
    let bank = Client::new(sandbox.base(), None);
    let back = bank.send(Method::POST, path, form).await.expect("the page answers").expect(303);
    let back = back.header("location").expect("an address").to_owned();
    let onward = Client::new(&back, None).get("").await;
    assert_eq!(
        onward.header("location"),
        Some(format!("https://shop.example/thanks?payment={payment}").as_str()),
        "{onward:?}"
    );
    let paid = next().get(&format!("/v1/payments/{payment}")).await.expect(200);
    assert_eq!(paid.body["status"], "succeeded");
    sandbox.assert_charged_once(&payment).await;
    vec![
        operation("create_payment", &payment, "accepted"),
        event("payment.created", &payment, 1),
        operation("record_charge", &payment, "succeeded"),
        event("payment.action_required", &payment, 2),
        operation("return_from_authentication", &payment, "accepted"),
        operation("record_look_up", &payment, "succeeded"),
        event("payment.succeeded", &payment, 4),
    ]
}
