//! Events: each change tells what the payment or refund is now, under its type and version.

use florin_kernel::event::Event;
use florin_testkit::suite::{Fault, Suite, on_each_database};
use serde_json::{Value, json};

use crate::shop::{SERVICES, act, authorized, created, paid, payment, refund, waiting_for_customer};

const REFUSED: Fault = Fault::Says(402, r#"{"error": {"code": "no"}}"#);

/// What happened to this aggregate since the last look, by version, without the common ends of the types.
async fn kinds(suite: &Suite, subject: &str) -> Vec<String> {
    let mut told = suite.published().await;
    told.retain(|event| event.subject.as_deref() == Some(subject));
    // They may travel in any order; what they are is in their sequence.
    told.sort_by_key(Event::sequence);
    told.iter().map(|event| event.kind.replace("florin.", "").replace(".v1", "")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_a_payment_is_told_by_its_type() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "capture_method": "manual" })).await;
        assert_eq!(kinds(&suite, &id).await, ["payment.created"]);
        let confirm = |card: &str| json!({ "payment_method": format!("pm_card_{card}") });
        act(&shop, &id, "confirm", confirm("declined")).await;
        assert_eq!(kinds(&suite, &id).await, ["payment.declined"]);
        act(&shop, &id, "confirm", confirm("authentication_required")).await;
        assert_eq!(kinds(&suite, &id).await, ["payment.action_required"]);
        let page = payment(&shop, &id).await["next_action"]["url"].as_str().unwrap().to_owned();
        let back = suite.authenticate(&page, "approve").await;
        suite.stranger().get(back.strip_prefix("http://florin.test").unwrap()).await;
        assert_eq!(kinds(&suite, &id).await, ["payment.authorized"]);
        suite.peers.fail_next(&[REFUSED]);
        act(&shop, &id, "capture", json!({})).await;
        assert_eq!(kinds(&suite, &id).await, ["payment.capture_failed"]);
        act(&shop, &id, "capture", json!({ "amount": 600, "final": false })).await;
        assert_eq!(kinds(&suite, &id).await, ["payment.captured"]);
        suite.peers.fail_next(&[REFUSED]);
        refund(&shop, &id, json!({ "amount": 100 })).await;
        assert_eq!(kinds(&suite, &id).await, ["payment.refund_failed"]);
        refund(&shop, &id, json!({ "amount": 100 })).await;
        assert_eq!(kinds(&suite, &id).await, ["payment.refunded"]);
        suite.peers.fail_next(&[REFUSED]);
        act(&shop, &id, "cancel", json!({})).await;
        assert_eq!(kinds(&suite, &id).await, ["payment.cancel_failed"]);
        act(&shop, &id, "cancel", json!({})).await;
        assert_eq!(kinds(&suite, &id).await, ["payment.canceled"]);
        let at_once = paid(&shop).await;
        assert_eq!(kinds(&suite, &at_once).await, ["payment.created", "payment.succeeded"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_a_refund_is_told_by_its_type() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = paid(&shop).await;
        let made = refund(&shop, &id, json!({ "amount": 1 })).await.id();
        assert_eq!(kinds(&suite, &made).await, ["refund.created", "refund.succeeded"]);
        suite.peers.fail_next(&[REFUSED]);
        let failed = refund(&shop, &id, json!({ "amount": 1 })).await.body["refund"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(kinds(&suite, &failed).await, ["refund.created", "refund.failed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_says_what_the_change_touched_as_it_was_before() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        let made = suite.published().await;
        let created = made.iter().find(|event| event.kind == "florin.payment.created.v1").unwrap();
        assert_eq!(created.json().unwrap()["previous"], Value::Null);
        let before = payment(&shop, &id).await;
        act(&shop, &id, "capture", json!({ "amount": 600, "final": false })).await;
        let told = suite.published().await;
        let captured = told.iter().find(|event| event.kind == "florin.payment.captured.v1").unwrap();
        let previous = &captured.json().unwrap()["previous"];
        let expected = json!({
            "status": "processing",
            "amount_capturable": before["amount_capturable"],
            "amount_received": 0,
            "version": captured.sequence().unwrap() - 1,
        });
        // The clock of this suite stands still, so the time of the change is the same.
        assert_eq!(*previous, expected);
        let made = refund(&shop, &id, json!({ "amount": 100 })).await.id();
        let told = suite.published().await;
        let of_refund: Vec<&Value> = told
            .iter()
            .filter(|event| event.subject.as_deref() == Some(&*made))
            .map(|event| &event.json().unwrap()["previous"])
            .collect();
        assert!(of_refund.contains(&&Value::Null), "{of_refund:?}");
        assert!(of_refund.contains(&&json!({ "status": "pending" })), "{of_refund:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_carries_the_whole_state_its_version_and_whose_it_is() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        let before = suite.published().await;
        act(&shop, &id, "capture", json!({ "amount": 600 })).await;
        let told = suite.published().await;
        let captured: &Event = told.iter().find(|e| e.kind == "florin.payment.captured.v1").unwrap();
        let now = payment(&shop, &id).await;
        assert_eq!(captured.json().unwrap()["payment"], now);
        assert_eq!(captured.sequence(), now["version"].as_i64());
        assert_eq!(captured.subject.as_deref(), Some(id.as_str()));
        assert_eq!(
            (captured.source.as_str(), captured.extension("tenant")),
            ("/florin/payments", Some("shop"))
        );
        assert_eq!(captured.time.unwrap().to_string(), now["updated_at"].as_str().unwrap());
        assert!(captured.extension("traceparent").is_some());
        let mut ids: Vec<_> = before.iter().chain(&told).map(|e| &e.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), before.len() + told.len(), "an identifier was used twice");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_tells_nothing_of_a_payment() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = paid(&shop).await;
        let (waiting, _) = waiting_for_customer(&shop, json!({})).await;
        suite.published().await;
        act(&shop, &id, "cancel", json!({})).await;
        act(&shop, &waiting, "capture", json!({})).await;
        refund(&shop, &id, json!({ "amount": 1_001 })).await;
        shop.post("/v1/payments", json!({ "amount": 0 })).await;
        let told = suite.published().await;
        let kinds: Vec<_> = told.iter().map(|e| e.kind.as_str()).collect();
        // Three operations were refused in their rooms; the fourth did not get past the door.
        assert_eq!(kinds, ["florin.audit.operation.v1"; 3]);
        let outcomes: Vec<&Value> = told.iter().map(|e| &e.json().unwrap()["outcome"]).collect();
        assert_eq!(outcomes, [&json!("refused"); 3]);
    })
    .await;
}
