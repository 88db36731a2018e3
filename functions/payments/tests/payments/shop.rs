//! A shop: what a merchant has done before the rule under test begins.

use florin_kernel::service::Definition;
use florin_testkit::suite::{Client, Fault, Reply, Suite};
use serde_json::{Value, json};

pub(crate) const SERVICES: &[&Definition] = &[&florin_payments::SERVICE];

/// What every payment here asks for, in cents.
pub(crate) const AMOUNT: i64 = 1_000;

/// An order of [`AMOUNT`] with these members besides.
pub(crate) fn order(more: Value) -> Value {
    let mut order = json!({ "amount": AMOUNT, "currency": "EUR" });
    let members = more.as_object().expect("members of an order").clone();
    order.as_object_mut().expect("an order").extend(members);
    order
}

/// A new payment, whatever status its members lead to.
pub(crate) async fn created(shop: &Client, more: Value) -> String {
    let reply = shop.post("/v1/payments", order(more)).await;
    assert!(matches!(reply.status, 201 | 202), "{reply:?}");
    // Where a test gives its callers little time, a busy machine may answer 202 here.
    while reply.status == 202 && payment(shop, &reply.id()).await["status"] == "processing" {
        tokio::task::yield_now().await;
    }
    reply.id()
}

/// A payment that was taken at once.
pub(crate) async fn paid(shop: &Client) -> String {
    created(shop, json!({ "payment_method": "pm_card_visa", "confirm": true })).await
}

/// A payment that is authorized and waits to be captured.
pub(crate) async fn authorized(shop: &Client) -> String {
    let more = json!({ "payment_method": "pm_card_visa", "confirm": true, "capture_method": "manual" });
    created(shop, more).await
}

/// A payment that waits for the customer, and the provider's page.
pub(crate) async fn waiting_for_customer(shop: &Client, more: Value) -> (String, String) {
    let mut wanted = json!({ "payment_method": "pm_card_authentication_required", "confirm": true });
    wanted.as_object_mut().expect("members").extend(more.as_object().expect("members").clone());
    let id = created(shop, wanted).await;
    let page = payment(shop, &id).await["next_action"]["url"].as_str().expect("a page").to_owned();
    (id, page)
}

/// Does something to a payment: `confirm`, `capture` or `cancel`.
pub(crate) async fn act(shop: &Client, id: &str, verb: &str, body: Value) -> Reply {
    shop.post(&format!("/v1/payments/{id}/{verb}"), body).await
}

/// Asks for a refund of a payment.
pub(crate) async fn refund(shop: &Client, id: &str, more: Value) -> Reply {
    let mut body = json!({ "payment": id });
    body.as_object_mut().expect("members").extend(more.as_object().expect("members").clone());
    shop.post("/v1/refunds", body).await
}

/// The payment as it is now.
pub(crate) async fn payment(shop: &Client, id: &str) -> Value {
    let reply = shop.get(&format!("/v1/payments/{id}")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// Status, capturable, received and refunded of a payment.
pub(crate) async fn stands(shop: &Client, id: &str) -> (String, i64, i64, i64) {
    let payment = payment(shop, id).await;
    let amount = |name: &str| payment[name].as_i64().expect("an amount");
    let status = payment["status"].as_str().expect("a status").to_owned();
    (status, amount("amount_capturable"), amount("amount_received"), amount("amount_refunded"))
}

/// What the provider's records say of a payment: charges, captures, refunds and voids.
pub(crate) async fn at_provider(suite: &Suite, id: &str) -> (i64, i64, i64, i64) {
    let records = suite.sandbox_records(&format!("?reference={id}")).await;
    let count = |name: &str| records[name].as_i64().expect("a count");
    (count("charges"), count("captures"), count("refunds"), count("voids"))
}

/// How often the provider was asked under each key about a payment, in the order of the first time.
pub(crate) async fn asked(suite: &Suite, id: &str) -> Vec<i64> {
    let records = suite.sandbox_records(&format!("?reference={id}")).await;
    let requests = records["requests"].as_array().expect("requests");
    assert!(requests.iter().all(|r| r["mismatched"] == 0), "{requests:?}");
    requests.iter().map(|r| r["requests"].as_i64().expect("a count")).collect()
}

/// Asserts that this is a problem of this status and code.
#[track_caller]
pub(crate) fn assert_problem(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, reply.code()), (status, code), "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{reply:?}");
    assert!(reply.body["trace_id"].as_str().is_some_and(|t| t.len() == 32), "{reply:?}");
}

/// Where the first wrong field is, by JSON pointer or parameter.
pub(crate) fn wrong_field(reply: &Reply) -> &str {
    let error = &reply.body["errors"][0];
    error["pointer"].as_str().or(error["parameter"].as_str()).unwrap_or_default()
}

/// Lets somebody call, lets the provider do its part, and lets both caller and runner die before either hears of it.
pub(crate) async fn abandoned(suite: &Suite, call: impl Future<Output = Reply> + Send + 'static) {
    let before = suite.peers.answered();
    suite.peers.fail_next(&[Fault::Stuck]);
    let caller = tokio::spawn(call);
    suite.peers.until_answered(before + 1).await;
    caller.abort();
}

/// A payment whose charge the provider made and nobody recorded.
pub(crate) async fn processing(suite: &Suite, shop: &Client) -> String {
    let id = created(shop, json!({ "payment_method": "pm_card_visa" })).await;
    let (shop, path) = (shop.clone(), format!("/v1/payments/{id}/confirm"));
    abandoned(suite, async move { shop.post(&path, json!({})).await }).await;
    id
}
