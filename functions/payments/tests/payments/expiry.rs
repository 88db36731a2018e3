//! An authorization that is not captured in seven days is released.

use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_testkit::suite::{Fault, Suite, on_each_database};
use serde_json::json;

use crate::shop::{
    SERVICES, act, at_provider, authorized, created, payment, refund, stands, waiting_for_customer,
};

const JOB: &str = "payments.expire_authorizations";
const SEVEN_DAYS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

async fn tick(suite: &Suite) -> Disposition {
    let disposition = suite.service("payments").tick(JOB).await;
    suite.drained().await;
    disposition
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_is_released_after_seven_days_and_not_before() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (mine, theirs) = (authorized(&shop).await, authorized(&suite.client("other")).await);
        suite.advance(SEVEN_DAYS - Duration::from_micros(1));
        assert_eq!(tick(&suite).await, Disposition::Done);
        assert_eq!(stands(&shop, &mine).await.0, "requires_capture");
        suite.advance(Duration::from_secs(15 * 60));
        assert_eq!(tick(&suite).await, Disposition::Done);
        assert_eq!(stands(&shop, &mine).await, ("canceled".to_owned(), 0, 0, 0));
        assert_eq!(stands(&suite.client("other"), &theirs).await.0, "canceled");
        for id in [&mine, &theirs] {
            assert_eq!(at_provider(&suite, id).await, (1, 0, 0, 1));
        }
        let events = suite.settle().await;
        let canceled: Vec<_> = events.iter().filter(|e| e.kind == "florin.payment.canceled.v1").collect();
        assert_eq!(canceled.len(), 2);
        assert_eq!(canceled[0].json().unwrap()["payment"]["status"], "canceled");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_still_authorized_expires() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let captured = authorized(&shop).await;
        act(&shop, &captured, "capture", json!({})).await;
        let untouched = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        let (waiting, _) = waiting_for_customer(&shop, json!({})).await;
        let before = [
            payment(&shop, &captured).await,
            payment(&shop, &untouched).await,
            payment(&shop, &waiting).await,
        ];
        suite.advance(SEVEN_DAYS * 2);
        assert_eq!(tick(&suite).await, Disposition::Done);
        let after = [
            payment(&shop, &captured).await,
            payment(&shop, &untouched).await,
            payment(&shop, &waiting).await,
        ];
        assert_eq!(before, after);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_capture_keeps_what_it_took_and_its_rest_expires() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        act(&shop, &id, "capture", json!({ "amount": 400, "final": false })).await;
        suite.advance(SEVEN_DAYS);
        tick(&suite).await;
        assert_eq!(stands(&shop, &id).await, ("canceled".to_owned(), 0, 400, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_tick_in_one_slot_run_it_once() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        suite.advance(SEVEN_DAYS);
        let service = suite.service("payments");
        let ticks = futures_util::future::join_all((0..5).map(|_| service.tick(JOB))).await;
        suite.drained().await;
        assert_eq!(ticks.iter().filter(|d| **d == Disposition::Done).count(), 1, "{ticks:?}");
        assert!(ticks.iter().all(|d| matches!(d, Disposition::Done | Disposition::Duplicate)), "{ticks:?}");
        assert_eq!(at_provider(&suite, &id).await, (1, 0, 0, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_that_the_provider_refuses_is_left_to_a_person_and_tried_once() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        suite.settle().await;
        suite.advance(SEVEN_DAYS);
        suite.peers.fail_next(&[Fault::Says(409, r#"{"error": {"code": "authorization_lapsed"}}"#)]);
        tick(&suite).await;
        let left = payment(&shop, &id).await;
        assert_eq!((&left["status"], &left["needs_review"]), (&json!("requires_capture"), &json!(true)));
        assert_eq!(left["last_error"]["code"], "cancel_failed");
        let told = suite.settle().await;
        let kinds: Vec<_> =
            told.iter().map(|e| e.kind.as_str()).filter(|k| k.contains(".payment.")).collect();
        assert_eq!(kinds, ["florin.payment.needs_review.v1"]);
        let asked = suite.peers.seen().len();
        suite.advance(Duration::from_secs(15 * 60));
        assert_eq!(tick(&suite).await, Disposition::Done);
        assert_eq!((payment(&shop, &id).await, suite.peers.seen().len()), (left, asked));
        // A person may still capture or cancel it.
        assert_eq!(act(&shop, &id, "cancel", json!({})).await.body["status"], "canceled");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expires_no_more_needs_a_person_until_it_is_captured_or_released() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        act(&shop, &id, "capture", json!({ "amount": 400, "final": false })).await;
        suite.advance(SEVEN_DAYS);
        let no = Fault::Says(409, r#"{"error": {"code": "authorization_lapsed"}}"#);
        suite.peers.fail_next(&[no]);
        tick(&suite).await;
        assert_eq!(payment(&shop, &id).await["needs_review"], true);
        assert_eq!(refund(&shop, &id, json!({ "amount": 100 })).await.status, 201);
        assert_eq!(payment(&shop, &id).await["needs_review"], true, "a refund says nothing of the rest");
        for verb in ["capture", "cancel"] {
            suite.peers.fail_next(&[no]);
            assert_eq!(act(&shop, &id, verb, json!({})).await.status, 402);
            assert_eq!(payment(&shop, &id).await["needs_review"], true, "{verb} was refused");
        }
        assert_eq!(act(&shop, &id, "capture", json!({ "amount": 100, "final": false })).await.status, 200);
        assert_eq!(payment(&shop, &id).await["needs_review"], true, "a part is still reserved");
        let released = act(&shop, &id, "cancel", json!({})).await.body;
        assert_eq!((&released["status"], &released["needs_review"]), (&json!("canceled"), &json!(false)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn until_when_it_can_be_captured_and_under_which_charge_can_be_read() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        let reserved = payment(&shop, &id).await;
        assert_eq!(reserved["capture_before"], "2026-02-07T12:00:00.000000Z");
        let charge = reserved["charge"].as_str().expect("the provider's charge").to_owned();
        let taken = act(&shop, &id, "capture", json!({})).await.body;
        assert_eq!((&taken["capture_before"], &taken["charge"]), (&json!(null), &json!(charge)));
        let captured = format!("/v1/charges/{charge}/capture");
        assert!(suite.peers.seen().iter().any(|o| o.request.path == captured), "{captured}");
    })
    .await;
}
