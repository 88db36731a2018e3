//! A customer whose browser never comes back: the provider is asked, on a ladder, and for a day.

use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_kernel::event::Event;
use florin_testkit::suite::{Fault, Suite, on_each_database};
use serde_json::json;

use crate::authentication::return_path;
use crate::shop::{SERVICES, act, at_provider, payment, stands, waiting_for_customer};

const JOB: &str = "payments.look_up_actions";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

async fn tick(suite: &Suite) {
    assert_eq!(suite.service("payments").tick(JOB).await, Disposition::Done);
    suite.drained().await;
}

/// What a recorded outcome asks for is sent by the sweep.
async fn swept(suite: &Suite) {
    for _ in 0..2 {
        suite.advance(MINUTE);
        suite.sweep().await;
    }
}

fn kinds_of(told: &[Event], id: &str) -> Vec<String> {
    let of_payment = told.iter().filter(|e| e.subject.as_deref() == Some(id) && e.kind != OPERATION);
    of_payment.map(|e| e.kind.clone()).collect()
}

const OPERATION: &str = "florin.audit.operation.v1";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_approved_before_closing_the_window_is_found_after_minutes() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (approved, page) = waiting_for_customer(&shop, json!({})).await;
        suite.authenticate(&page, "approve").await;
        let (refused, page) = waiting_for_customer(&shop, json!({})).await;
        suite.authenticate(&page, "refuse").await;
        let (held, page) = waiting_for_customer(&shop, json!({ "capture_method": "manual" })).await;
        suite.authenticate(&page, "approve").await;
        suite.advance(4 * MINUTE);
        tick(&suite).await;
        assert_eq!(stands(&shop, &approved).await.0, "requires_action");
        suite.advance(2 * MINUTE);
        tick(&suite).await;
        assert_eq!(stands(&shop, &approved).await, ("succeeded".to_owned(), 0, 1_000, 0));
        assert_eq!(stands(&shop, &refused).await.0, "requires_payment_method");
        assert_eq!(stands(&shop, &held).await, ("requires_capture".to_owned(), 1_000, 0, 0));
        assert_eq!(at_provider(&suite, &approved).await, (1, 1, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_customer_has_not_decided_the_provider_is_asked_ever_more_rarely_and_nothing_is_told() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, page) = waiting_for_customer(&shop, json!({})).await;
        suite.settle().await;

        let mut passed = Duration::ZERO;
        for (at, times) in [
            (6 * MINUTE, 1),
            (20 * MINUTE, 1),
            (31 * MINUTE, 2),
            (HOUR, 2),
            (2 * HOUR + MINUTE, 3),
            (7 * HOUR, 3),
            (8 * HOUR + MINUTE, 4),
            (23 * HOUR, 4),
        ] {
            suite.advance(at - passed);
            passed = at;
            tick(&suite).await;
            assert_eq!(suite.peers.seen().len() - 1, times, "after {at:?}");
            let waiting = payment(&shop, &id).await;
            assert_eq!(waiting["status"], "requires_action");
            assert_eq!(waiting["next_action"]["url"], json!(page));
        }
        assert_eq!(kinds_of(&suite.settle().await, &id), Vec::<String>::new());
        // It can still be approved, and the browser may still come.
        suite.authenticate(&page, "approve").await;
        assert_eq!(suite.stranger().get(&return_path(&suite)).await.status, 200);
        assert_eq!(stands(&shop, &id).await.0, "succeeded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authentication_is_abandoned_after_a_day_and_the_payment_can_be_paid_otherwise() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, _) = waiting_for_customer(&shop, json!({})).await;
        suite.settle().await;
        suite.advance(24 * HOUR);
        tick(&suite).await;
        swept(&suite).await;
        let abandoned = payment(&shop, &id).await;
        assert_eq!(abandoned["status"], "requires_payment_method");
        assert_eq!(abandoned["last_error"]["code"], "authentication_abandoned");
        assert_eq!(abandoned["next_action"], json!(null));
        assert_eq!(at_provider(&suite, &id).await, (1, 0, 0, 1));
        let told = suite.settle().await;
        assert_eq!(kinds_of(&told, &id), ["florin.payment.declined.v1"]);
        let event = told.iter().find(|e| e.kind == "florin.payment.declined.v1").unwrap();
        assert_eq!(event.json().unwrap()["payment"], abandoned);
        // Another attempt has a day of its own.
        let again = json!({ "payment_method": "pm_card_authentication_required" });
        assert_eq!(act(&shop, &id, "confirm", again).await.body["status"], "requires_action");
        suite.advance(6 * MINUTE);
        tick(&suite).await;
        assert_eq!(stands(&shop, &id).await.0, "requires_action");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_in_the_last_moment_is_taken_and_not_abandoned() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, page) = waiting_for_customer(&shop, json!({})).await;
        suite.advance(24 * HOUR);
        suite.authenticate(&page, "approve").await;
        tick(&suite).await;
        assert_eq!(stands(&shop, &id).await.0, "succeeded");
        assert_eq!(at_provider(&suite, &id).await, (1, 1, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_neither_decides_nor_releases_after_a_day_is_left_to_a_person() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, page) = waiting_for_customer(&shop, json!({})).await;
        let charge =
            serde_json::to_string(&json!({ "id": "ch_1", "status": "requires_action", "amount": 1_000,
            "currency": "EUR", "action_url": page }));
        let charge: &'static str = charge.unwrap().leak();
        suite.advance(24 * HOUR);
        suite.peers.fail_next(&[
            Fault::Says(200, charge),
            Fault::Says(409, r#"{"error": {"code": "charge_state_conflict"}}"#),
            Fault::Says(200, charge),
        ]);
        tick(&suite).await;
        swept(&suite).await;
        let left = payment(&shop, &id).await;
        assert_eq!((&left["status"], &left["needs_review"]), (&json!("requires_action"), &json!(true)));
        let asked = suite.peers.seen().len();
        suite.advance(24 * HOUR);
        tick(&suite).await;
        assert_eq!((payment(&shop, &id).await, suite.peers.seen().len()), (left, asked));
    })
    .await;
}
