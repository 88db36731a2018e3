//! The cardholder's page: approve, refuse, and come again.

use florin_sandbox::SandboxConfig;
use reqwest::Response;
use serde_json::{Value, json};

use crate::provider::{Provider, a_charge};

const RETURN_URL: &str = "https://shop.example/return?payment=pay_1&step=2";

async fn waiting(provider: &Provider, key: &str, capture: bool) -> (String, String) {
    let mut body = a_charge(key, "pm_card_authentication_required", capture);
    body["return_url"] = json!(RETURN_URL);
    let charge = provider.send("/v1/charges", key, body).await.done();
    let text = |name: &str| charge[name].as_str().unwrap().to_owned();
    (text("id"), text("action_url"))
}

async fn decide(provider: &Provider, action_url: &str, decision: &str) -> Response {
    provider.http.post(action_url).form(&[("decision", decision)]).send().await.unwrap()
}

fn sent_back(response: &Response) -> bool {
    response.status() == 303 && response.headers()["location"] == RETURN_URL
}

#[tokio::test]
async fn an_approved_charge_goes_on_as_it_was_asked() {
    let provider = Provider::start().await;
    for (capture, status, captured) in [(true, "succeeded", 1000), (false, "authorized", 0)] {
        let (id, action_url) = waiting(&provider, status, capture).await;
        assert!(sent_back(&decide(&provider, &action_url, "approve").await));
        let charge = provider.state(&id).await;
        assert_eq!((&charge["status"], &charge["amount_captured"]), (&json!(status), &json!(captured)));
        assert_eq!(charge["action_url"], Value::Null);
    }
    provider.stop().await;
}

#[tokio::test]
async fn a_refused_charge_is_declined() {
    let provider = Provider::start().await;
    let (id, action_url) = waiting(&provider, "k", true).await;
    assert!(sent_back(&decide(&provider, &action_url, "refuse").await));
    let charge = provider.state(&id).await;
    assert_eq!(charge["status"], "declined");
    assert_eq!(charge["decline_code"], "authentication_failed");
    assert_eq!(provider.records("k").await["captures"], 0);
    provider.stop().await;
}

#[tokio::test]
async fn the_first_decision_stands_and_whoever_comes_again_is_sent_back_too() {
    let provider = Provider::start().await;
    for (first, later, status) in [("approve", "refuse", "succeeded"), ("refuse", "approve", "declined")] {
        let (id, action_url) = waiting(&provider, first, true).await;
        for decision in [first, first, later] {
            assert!(sent_back(&decide(&provider, &action_url, decision).await), "{decision}");
        }
        assert_eq!(provider.state(&id).await["status"], status);
        let times = i64::from(status == "succeeded");
        assert_eq!(provider.records(first).await["captures"], times);
    }
    provider.stop().await;
}

#[tokio::test]
async fn a_charge_that_was_voided_meanwhile_cannot_be_approved() {
    let provider = Provider::start().await;
    let (id, action_url) = waiting(&provider, "k", true).await;
    provider.send(&format!("/v1/charges/{id}/void"), "v", json!({})).await.done();
    assert!(sent_back(&decide(&provider, &action_url, "approve").await));
    let charge = provider.state(&id).await;
    assert_eq!((&charge["status"], &charge["amount_captured"]), (&json!("voided"), &json!(0)));
    provider.stop().await;
}

#[tokio::test]
async fn parallel_approvals_capture_once() {
    let provider = Provider::start().await;
    let (_, action_url) = waiting(&provider, "k", true).await;
    let many = (0..20).map(|_| decide(&provider, &action_url, "approve"));
    let answers = futures_util::future::join_all(many).await;
    assert!(answers.iter().all(sent_back));
    assert_eq!(provider.records("k").await["captures"], 1);
    provider.stop().await;
}

#[tokio::test]
async fn the_page_shows_what_is_to_be_paid_and_loads_nothing_from_elsewhere() {
    let provider = Provider::start().await;
    let (_, action_url) = waiting(&provider, "<script>alert(1)</script>", true).await;
    let page = provider.http.get(&action_url).send().await.unwrap();
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let html = page.text().await.unwrap();
    for wanted in ["10.00 EUR", "value=\"approve\"", "value=\"refuse\"", "method=\"post\"", "&lt;script&gt;"]
    {
        assert!(html.contains(wanted), "{wanted}: {html}");
    }
    for unwanted in ["<script", "src=", "href=", "url(", "@import", "http://", "https://"] {
        assert!(!html.contains(unwanted), "{unwanted}: {html}");
    }
    decide(&provider, &action_url, "approve").await;
    let html = provider.http.get(&action_url).send().await.unwrap().text().await.unwrap();
    assert!(html.contains("was approved") && !html.contains("<form"), "{html}");
    provider.stop().await;
}

#[tokio::test]
async fn without_a_return_url_the_page_itself_says_what_became_of_it() {
    let provider = Provider::start().await;
    let charge = provider.charge("k", "pm_card_authentication_required", true).await.done();
    let answer = decide(&provider, charge["action_url"].as_str().unwrap(), "approve").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().contains("close this window"));
    provider.stop().await;
}

#[tokio::test]
async fn a_program_may_decide_with_json() {
    let provider = Provider::start().await;
    let (id, action_url) = waiting(&provider, "k", true).await;
    let approval = provider.http.post(&action_url).json(&json!({ "decision": "approve" }));
    assert!(sent_back(&approval.send().await.unwrap()));
    assert_eq!(provider.state(&id).await["status"], "succeeded");
    provider.stop().await;
}

#[tokio::test]
async fn what_is_no_decision_decides_nothing() {
    let provider = Provider::start().await;
    let (id, action_url) = waiting(&provider, "k", true).await;
    for body in ["", "decision=", "decision=maybe", "approve", "decision=approve&decision=refuse"] {
        let request = provider.http.post(&action_url).body(body);
        let answer = crate::provider::read(request).await;
        assert_eq!(answer.refusal(), (400, "invalid_request".into()), "{body}");
    }
    assert_eq!(provider.state(&id).await["status"], "requires_action");
    provider.stop().await;
}

#[tokio::test]
async fn the_action_url_holds_the_public_address_with_its_prefix() {
    let public_base = Some("https://pay.example/sandbox/".to_owned());
    let provider = Provider::with(SandboxConfig { public_base, ..SandboxConfig::default() }).await;
    let (id, action_url) = waiting(&provider, "k", true).await;
    assert_eq!(action_url, format!("https://pay.example/sandbox/authenticate/{id}"));
    provider.stop().await;
}
