//! Who did what with which outcome: done, declined, refused, forbidden; by a person, a job or the system.

use std::time::Duration;

use florin_kernel::service::Settings;
use florin_testkit::suite::{Fault, Suite, on_each_database, on_each_database_with};
use serde_json::{Value, json};

use crate::trail::{SERVICES, auditor, line, pay, records};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_operation_is_recorded_with_its_code_and_changes_nothing_else() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = pay(&shop, json!({ "payment_method": "pm_card_visa", "confirm": true })).await.id();
        suite.settle().await;
        let before = records(&auditor(&suite, "shop"), "").await.len();
        shop.post(&format!("/v1/payments/{id}/cancel"), json!({})).await;
        let unknown = format!("pay_{}", "0".repeat(32));
        shop.post(&format!("/v1/payments/{unknown}/cancel"), json!({})).await;
        suite.settle().await;
        let recorded = records(&auditor(&suite, "shop"), "&operation=payments.cancel_payment").await;
        let mut lines: Vec<_> = recorded.iter().map(line).collect();
        lines.sort();
        let mut expected = [
            format!("operation payments.cancel_payment {id} refused payment_state_conflict"),
            "operation payments.cancel_payment - refused payment_not_found".to_owned(),
        ];
        expected.sort();
        assert_eq!(lines, expected);
        assert_eq!(records(&auditor(&suite, "shop"), "").await.len(), before + 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_operation_is_recorded_in_the_tenant_of_whoever_tried() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let clerk = suite.client_with("shop", "clerk", &["payments:read"]);
        assert_eq!(pay(&clerk, json!({})).await.status, 403);
        suite.settle().await;
        let recorded = records(&auditor(&suite, "shop"), "").await;
        assert_eq!(recorded.len(), 1);
        let record = &recorded[0];
        assert_eq!(line(record), "operation payments.create_payment - forbidden forbidden");
        assert_eq!((&record["actor"], &record["client"]), (&json!("clerk"), &json!("clerk")));
        assert!(record["request_id"].is_string() && record["trace_id"].is_string());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_get_past_the_door_and_what_only_reads_is_not_recorded() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        assert_eq!(pay(&suite.stranger(), json!({})).await.status, 401);
        assert_eq!(pay(&shop, json!({ "amount": 0 })).await.status, 400);
        assert_eq!(shop.get("/v1/payments").await.status, 200);
        assert_eq!(suite.settle().await, []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_and_its_trace_are_carried_to_the_record_and_to_what_followed() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client_with("shop", "till-7", &["payments:write"]);
        let headers = [
            ("content-type", "application/json"),
            ("x-request-id", "req-42"),
            ("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01")),
        ];
        let order =
            json!({ "amount": 1, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
        let reply = shop.request("POST", "/v1/payments", &headers, &order.to_string()).await;
        assert_eq!((reply.status, reply.header("x-request-id")), (201, Some("req-42")));
        suite.settle().await;
        let recorded = records(&auditor(&suite, "shop"), "").await;
        assert_eq!(recorded.len(), 4);
        assert!(recorded.iter().all(|r| r["trace_id"] == TRACE), "{recorded:?}");
        let asked: Vec<&Value> = recorded.iter().filter(|r| r["request_id"] == "req-42").collect();
        assert_eq!(asked.len(), 1);
        assert_eq!(
            (&asked[0]["name"], &asked[0]["actor"]),
            (&json!("payments.create_payment"), &json!("till-7"))
        );
        let followed: Vec<&Value> =
            recorded.iter().filter(|r| r["name"] == "payments.record_charge").collect();
        assert_eq!((followed.len(), &followed[0]["actor"]), (1, &json!("florin")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_jobs_and_the_customers_browser_did_is_recorded_as_theirs() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let reserved =
            json!({ "payment_method": "pm_card_visa", "confirm": true, "capture_method": "manual" });
        let expired = pay(&shop, reserved).await.id();
        let card = json!({ "payment_method": "pm_card_authentication_required", "confirm": true });
        let waiting = pay(&shop, card).await;
        let page = waiting.body["next_action"]["url"].as_str().unwrap();
        let back = suite.authenticate(page, "approve").await;
        suite.stranger().get(back.strip_prefix("http://florin.test").unwrap()).await;
        suite.advance(Duration::from_secs(7 * 24 * 60 * 60));
        suite.service("payments").tick("payments.expire_authorizations").await;
        suite.drained().await;
        suite.settle().await;
        for (name, resource, actor) in [
            ("payments.expire_authorizations", &expired, "florin"),
            ("payments.record_void", &expired, "florin"),
            ("payments.return_from_authentication", &waiting.id(), "public"),
            ("payments.record_look_up", &waiting.id(), "florin"),
        ] {
            let recorded = records(&auditor(&suite, "shop"), &format!("&operation={name}")).await;
            assert_eq!(recorded.len(), 1, "{name}");
            assert_eq!(
                (&recorded[0]["resource"], &recorded[0]["actor"]),
                (&json!(resource), &json!(actor)),
                "{name}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_person_is_recorded_as_such() {
    let impatient = Settings { wait: Duration::from_millis(100), ..Settings::default() };
    on_each_database_with(SERVICES, &impatient, |suite: Suite| async move {
        suite.peers.fail_next(&[Fault::NotSent, Fault::NotSent]);
        let order = json!({ "payment_method": "pm_card_visa", "confirm": true });
        let id = pay(&suite.client("shop"), order).await.id();
        suite.drained().await;
        suite.advance(Duration::from_secs(24 * 60 * 60));
        suite.sweep().await;
        suite.settle().await;
        let recorded = records(&auditor(&suite, "shop"), "&operation=payments.record_charge").await;
        assert_eq!(
            recorded.iter().map(line).collect::<Vec<_>>(),
            [format!("operation payments.record_charge {id} needs_review -")]
        );
    })
    .await;
}
