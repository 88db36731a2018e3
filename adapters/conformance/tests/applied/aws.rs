//! Calls to the emulator of AWS, without an SDK: what it answers is looked at as it is.

use std::collections::BTreeMap;

use reqwest::{Client, RequestBuilder};
use serde_json::Value;

/// The emulator.
pub(crate) struct Aws {
    pub(crate) endpoint: String,
    client: Client,
}

#[expect(clippy::disallowed_methods, reason = "tests have no host that reads the environment for them")]
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: cargo xtask infra terraform runs these"))
}

impl Aws {
    pub(crate) fn here() -> Self {
        Self { endpoint: variable("FLORIN_TEST_SQS_ENDPOINT"), client: Client::new() }
    }

    /// A call of an API in the manner of REST.
    pub(crate) async fn get(&self, service: &str, path: &str) -> Value {
        let call = self.client.get(format!("{}{path}", self.endpoint));
        let text = self.send(service, call).await;
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("GET {path}: {text}"))
    }

    /// A change by an API in the manner of REST.
    pub(crate) async fn put(&self, service: &str, path: &str, body: &Value) {
        let call = self.client.put(format!("{}{path}", self.endpoint)).json(body);
        self.send(service, call).await;
    }

    /// A call of an API that names its operation in a header.
    pub(crate) async fn target(&self, service: &str, target: &str, body: &Value) -> Value {
        let call = self.client.post(&self.endpoint).header("x-amz-target", target);
        let call = call.header("content-type", "application/x-amz-json-1.0").body(body.to_string());
        let text = self.send(service, call).await;
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{target}: {text}"))
    }

    /// A call of an API that takes a form and answers XML.
    pub(crate) async fn form(&self, service: &str, fields: &BTreeMap<&str, &str>) -> String {
        let call = self.client.post(&self.endpoint).form(fields);
        self.send(service, call).await
    }

    async fn send(&self, service: &str, call: RequestBuilder) -> String {
        // The emulator tells services apart by the credential's scope, and checks no signature.
        let scope = format!("test/20260101/eu-central-1/{service}/aws4_request");
        let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let answer = call.header("authorization", signed).send().await.expect("the emulator answers");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert!(status.is_success(), "{service}: {status}: {text}");
        text
    }
}

/// What stands between `<name>` and `</name>`, each time.
pub(crate) fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&open).skip(1).filter_map(|rest| rest.split_once(&close)).map(|(text, _)| text).collect()
}
