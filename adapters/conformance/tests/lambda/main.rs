//! The binary as a Lambda function: the same requests get the same answers as from a container, batches, ticks
//! and deadlines are kept, and what a killed environment leaves is finished by the sweep.

mod batches;
mod deadline;
mod freeze;
mod over_sqs;
mod payments;

use florin_conformance::lambda::{Front, Lambda};
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, Site};
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::suite::Engine;
use serde_json::{Value, json};

/// POST of JSON under a key, with a token of the tenant `acme`.
fn post(token: &str, path: &str, key: &str, body: &Value) -> HttpRequest {
    get(token, path).method("POST").header("idempotency-key", key).body("application/json", body.to_string())
}

fn get(token: &str, path: &str) -> HttpRequest {
    HttpRequest::new("GET", path).header("authorization", &format!("Bearer {token}"))
}

trait WithMethod {
    fn method(self, method: &str) -> Self;
}

impl WithMethod for HttpRequest {
    fn method(mut self, method: &str) -> Self {
        self.method = method.to_owned();
        self
    }
}

/// A payment that was created through a function, not confirmed yet.
async fn created(lambda: &Lambda, token: &str) -> String {
    let body = json!({ "amount": 4_200, "currency": "EUR", "payment_method": "pm_card_visa" });
    let request = post(token, "/v1/payments", "create-1", &body);
    lambda.request(Front::HttpApi, &request).await.expect(201).id()
}

/// What the audit records say, read through a function.
async fn recorded(lambda: &Lambda, token: &str) -> Vec<String> {
    let page = lambda.request(Front::HttpApi, &get(token, "/v1/audit/records").query("limit", "100")).await;
    let page = page.expect(200).body;
    let mut lines: Vec<String> =
        page["data"].as_array().expect("a page").iter().map(florin_conformance::audit::line).collect();
    lines.sort();
    lines
}

/// Runs a job, as EventBridge Scheduler does.
async fn tick(lambda: &Lambda, job: &str) -> Value {
    lambda.invoke(&json!({ "florin": { "job": job } })).await.answer()
}

/// A site whose function publishes to a broker of the test.
async fn site(engine: Engine) -> Option<(Site, Sink)> {
    let sink = Sink::keeping().await;
    let mut site = Site::new(engine, &Broker::Http(sink.base().to_owned())).await?;
    // A function does not know by itself where browsers reach it.
    site.set("FLORIN_PUBLIC_URL", "https://pay.example");
    Some((site, sink))
}
