//! A trail: what a shop did before an auditor looks, and what the auditor then sees.

use florin_kernel::service::Definition;
use florin_testkit::suite::{Client, Reply, Suite};
use serde_json::{Value, json};

pub(crate) const SERVICES: &[&Definition] = &[&florin_payments::SERVICE, &florin_audit::SERVICE];

/// Somebody who may read records and nothing else.
pub(crate) fn auditor(suite: &Suite, tenant: &str) -> Client {
    suite.client_with(tenant, "auditor", &["audit:read"])
}

/// A new payment of ten euros.
pub(crate) async fn pay(shop: &Client, more: Value) -> Reply {
    let mut order = json!({ "amount": 1_000, "currency": "EUR" });
    order.as_object_mut().expect("an order").extend(more.as_object().expect("members").clone());
    shop.post("/v1/payments", order).await
}

/// Every record that a query finds, the newest first.
pub(crate) async fn records(auditor: &Client, query: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let reply = auditor.get(&format!("/v1/audit/records?limit=100{query}{cursor}")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        all.extend(reply.body["data"].as_array().expect("a page").iter().cloned());
        match reply.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// A record in one line: its kind, name, resource, and outcome and code or sequence.
pub(crate) fn line(record: &Value) -> String {
    let text = |name: &str| record[name].as_str().unwrap_or("-");
    let end = match text("kind") {
        "event" => record["sequence"].to_string(),
        _ => format!("{} {}", text("outcome"), text("code")),
    };
    format!("{} {} {} {end}", text("kind"), text("name"), text("resource"))
}

/// The lines of these records, sorted.
pub(crate) fn lines(records: &[Value]) -> Vec<String> {
    let mut lines: Vec<String> = records.iter().map(line).collect();
    lines.sort();
    lines
}
