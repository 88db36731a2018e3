//! What is lost on the way to the provider and back is made up for, once (the crash table, in one process).

use std::time::Duration;

use florin_kernel::rows::effects;
use florin_kernel::service::Settings;
use florin_testkit::suite::{Fault, Suite, on_each_database, on_each_database_with};
use serde_json::json;

use crate::shop::{
    SERVICES, act, asked, at_provider, authorized, created, paid, payment, processing, refund, stands,
    waiting_for_customer,
};

/// Longer than the first delay between two attempts.
const SOON: Duration = Duration::from_secs(2);

fn impatient() -> Settings {
    Settings { wait: Duration::from_millis(100), ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_whose_answer_was_lost_is_asked_again_under_its_key_and_made_once() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        suite.peers.fail_next(&[Fault::AnswerLost]);
        assert_eq!(act(&shop, &id, "confirm", json!({})).await.status, 202);
        suite.drained().await;
        assert_eq!(suite.sweep().await, 0, "it was tried again without a pause");
        suite.advance(SOON);
        assert_eq!(suite.sweep().await, 1);
        assert_eq!(stands(&shop, &id).await.0, "succeeded");
        assert_eq!((asked(&suite, &id).await, at_provider(&suite, &id).await), (vec![2], (1, 1, 0, 0)));
        let seen = suite.peers.seen();
        assert_eq!(seen[0].key, seen[1].key);
        assert_eq!(seen[0].request, seen[1].request);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_did_not_leave_is_sent_again() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        suite.peers.fail_next(&[Fault::NotSent, Fault::NotSent]);
        assert_eq!(act(&shop, &id, "confirm", json!({})).await.status, 202);
        suite.drained().await;
        for status in ["processing", "succeeded"] {
            suite.advance(SOON * 2);
            assert_eq!(suite.sweep().await, 1);
            assert_eq!(stands(&shop, &id).await.0, status);
        }
        assert_eq!((asked(&suite, &id).await, at_provider(&suite, &id).await), (vec![1], (1, 1, 0, 0)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_charges_and_never_answers_or_fails_before_it_charges_is_asked_again() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        for card in ["pm_card_timeout_after_charge", "pm_card_error_before_charge"] {
            let id = created(&shop, json!({ "payment_method": card })).await;
            assert_eq!(act(&shop, &id, "confirm", json!({})).await.status, 202, "{card}");
            suite.drained().await;
            suite.advance(SOON);
            assert_eq!(suite.sweep().await, 1);
            assert_eq!(stands(&shop, &id).await.0, "succeeded", "{card}");
            assert_eq!((asked(&suite, &id).await, at_provider(&suite, &id).await), (vec![2], (1, 1, 0, 0)));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_died_is_followed_by_the_sweep_when_its_lease_is_over_and_not_before() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = processing(&suite, &shop).await;
        suite.advance(Duration::from_secs(1));
        assert_eq!((suite.sweep().await, stands(&shop, &id).await.0.as_str()), (0, "processing"));
        suite.advance(effects::LEASE);
        assert_eq!((suite.sweep().await, stands(&shop, &id).await.0.as_str()), (1, "succeeded"));
        assert_eq!((asked(&suite, &id).await, at_provider(&suite, &id).await), (vec![2], (1, 1, 0, 0)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_release_look_up_or_refund_whose_answer_was_lost_is_made_once() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let (captured, released, refunded) =
            (authorized(&shop).await, authorized(&shop).await, paid(&shop).await);
        let (approved, page) = waiting_for_customer(&shop, json!({})).await;
        let back = suite.authenticate(&page, "approve").await;
        suite.peers.fail_next(&[Fault::AnswerLost; 4]);
        assert_eq!(
            act(&shop, &captured, "capture", json!({ "amount": 400, "final": false })).await.status,
            202
        );
        assert_eq!(act(&shop, &released, "cancel", json!({})).await.status, 202);
        assert_eq!(refund(&shop, &refunded, json!({ "amount": 300 })).await.status, 202);
        suite.stranger().get(back.strip_prefix("http://florin.test").unwrap()).await;
        suite.drained().await;
        suite.advance(SOON);
        assert_eq!(suite.sweep().await, 4);
        assert_eq!(stands(&shop, &captured).await, ("requires_capture".to_owned(), 600, 400, 0));
        assert_eq!(stands(&shop, &released).await, ("canceled".to_owned(), 0, 0, 0));
        assert_eq!(stands(&shop, &refunded).await, ("succeeded".to_owned(), 0, 1_000, 300));
        assert_eq!(stands(&shop, &approved).await, ("succeeded".to_owned(), 0, 1_000, 0));
        assert_eq!(at_provider(&suite, &captured).await, (1, 1, 0, 0));
        assert_eq!(at_provider(&suite, &released).await, (1, 0, 0, 1));
        assert_eq!(at_provider(&suite, &refunded).await, (1, 1, 1, 0));
        assert_eq!(at_provider(&suite, &approved).await, (1, 1, 0, 0));
        assert_eq!(asked(&suite, &captured).await, [1, 2]);
        assert_eq!(asked(&suite, &refunded).await, [1, 2]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runners_at_once_may_both_ask_and_one_records() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        // The first request of this card is answered late, its repeat at once.
        let id = created(&shop, json!({ "payment_method": "pm_card_slow" })).await;
        let (caller, path) = (shop.clone(), format!("/v1/payments/{id}/confirm"));
        let first = tokio::spawn(async move { caller.post(&path, json!({})).await });
        while suite.peers.seen().is_empty() {
            tokio::task::yield_now().await;
        }
        suite.advance(effects::LEASE);
        let sweeps = tokio::join!(suite.sweep(), suite.sweep(), suite.sweep());
        let reply = first.await.unwrap();
        suite.drained().await;
        assert!(sweeps.0 + sweeps.1 + sweeps.2 >= 1, "{sweeps:?}");
        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("succeeded")), "{reply:?}");
        assert_eq!((asked(&suite, &id).await, at_provider(&suite, &id).await), (vec![2], (1, 1, 0, 0)));
        let after = payment(&shop, &id).await;
        assert_eq!((&after["needs_review"], &after["version"]), (&json!(false), &json!(3)));
        let told = suite.published().await;
        let of_kind = |kind: &str| told.iter().filter(|e| e.kind == kind).count();
        assert_eq!(of_kind("florin.payment.succeeded.v1"), 1);
        let recorded =
            told.iter().filter_map(|e| e.json()).filter(|d| d["operation"] == "payments.record_charge");
        assert_eq!(recorded.count(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_goes_away_stops_nothing() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = created(&shop, json!({ "payment_method": "pm_card_slow" })).await;
        let (caller, path) = (shop.clone(), format!("/v1/payments/{id}/confirm"));
        let call = tokio::spawn(async move { caller.post(&path, json!({})).await });
        while suite.peers.seen().is_empty() {
            tokio::task::yield_now().await;
        }
        call.abort();
        suite.drained().await;
        assert_eq!(stands(&shop, &id).await.0, "succeeded");
        assert_eq!(asked(&suite, &id).await, [1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_something_on_the_way_is_no_answer_to_a_refund_that_was_made() {
    on_each_database_with(SERVICES, &impatient(), |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = paid(&shop).await;
        suite.peers.fail_next(&[
            Fault::AnswerLost,
            Fault::Says(404, "<!doctype html><title>404 Not Found</title>"),
            Fault::Says(409, r#"{"error": {"code": "idempotency_key_in_use"}}"#),
        ]);
        assert_eq!(refund(&shop, &id, json!({})).await.status, 202);
        suite.drained().await;
        for refunded in [1_000, 1_000, 1_000] {
            suite.advance(SOON * 10);
            assert_eq!(suite.sweep().await, 1);
            assert_eq!(
                stands(&shop, &id).await.3,
                refunded,
                "what was paid back is free to be paid back again"
            );
        }
        assert_eq!(at_provider(&suite, &id).await, (1, 1, 1, 0));
    })
    .await;
}
