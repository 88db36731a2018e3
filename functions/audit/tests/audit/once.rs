//! Each event and each mutating operation stands once, however often and in whatever order it arrives.

use std::collections::BTreeSet;
use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_kernel::event::{Data, Event};
use florin_testkit::suite::{Suite, on_each_database};
use futures_util::future::join_all;
use serde_json::json;

use crate::trail::{SERVICES, auditor, lines, pay, records};

#[tokio::test(flavor = "multi_thread")]
async fn a_payments_whole_story_is_recorded_line_by_line() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = pay(&shop, json!({ "capture_method": "manual" })).await.id();
        let act = async |verb: &str, body| shop.post(&format!("/v1/payments/{id}/{verb}"), body).await.status;
        assert_eq!(act("confirm", json!({ "payment_method": "pm_card_declined" })).await, 402);
        assert_eq!(act("confirm", json!({ "payment_method": "pm_card_visa" })).await, 200);
        assert_eq!(act("capture", json!({ "amount": 2_000 })).await, 409);
        assert_eq!(act("capture", json!({ "amount": 600 })).await, 200);
        let refund = shop.post("/v1/refunds", json!({ "payment": id, "amount": 100 })).await.id();
        suite.settle().await;
        let mut expected = [
            "event florin.payment.created.v1 PAY 1",
            "event florin.payment.declined.v1 PAY 3",
            "event florin.payment.authorized.v1 PAY 5",
            "event florin.payment.captured.v1 PAY 7",
            "event florin.payment.refunded.v1 PAY 9",
            "event florin.refund.created.v1 REF 1",
            "event florin.refund.succeeded.v1 REF 2",
            "operation payments.create_payment PAY succeeded -",
            "operation payments.confirm_payment PAY accepted -",
            "operation payments.record_charge PAY declined card_declined",
            "operation payments.confirm_payment PAY accepted -",
            "operation payments.record_charge PAY succeeded -",
            "operation payments.capture_payment PAY refused capture_exceeds_remaining",
            "operation payments.capture_payment PAY accepted -",
            "operation payments.record_capture PAY succeeded -",
            "operation payments.create_refund REF accepted -",
            "operation payments.record_refund REF succeeded -",
        ]
        .map(|line| line.replace("PAY", &id).replace("REF", &refund));
        expected.sort();
        assert_eq!(lines(&records(&auditor(&suite, "shop"), "").await), expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delivered_twice_and_backwards_each_event_stands_once() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = pay(&shop, json!({ "payment_method": "pm_card_visa", "confirm": true })).await.id();
        shop.post("/v1/refunds", json!({ "payment": id, "amount": 1 })).await;
        let events = suite.published().await;
        assert!(events.len() >= 8, "{}", events.len());
        for disposition in [Disposition::Done, Disposition::Duplicate] {
            for event in events.iter().rev() {
                assert_eq!(suite.deliver(event).await, [("audit.record_event", disposition.clone())]);
            }
        }
        let recorded = records(&auditor(&suite, "shop"), "").await;
        let seen: BTreeSet<_> = recorded
            .iter()
            .map(|r| (r["source"].as_str().unwrap(), r["event_id"].as_str().unwrap()))
            .collect();
        assert_eq!(recorded.len(), events.len());
        assert_eq!(seen, events.iter().map(|e| (e.source.as_str(), e.id.as_str())).collect());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_again_after_the_inbox_forgot_it_still_stands_once() {
    on_each_database(SERVICES, |suite: Suite| async move {
        pay(&suite.client("shop"), json!({})).await;
        let events = suite.settle().await;
        let before = records(&auditor(&suite, "shop"), "").await;
        suite.advance(Duration::from_secs(40 * 24 * 60 * 60));
        suite.service("audit").tick("audit.purge").await;
        for event in &events {
            assert_eq!(
                suite.deliver(event).await,
                [("audit.record_event", Disposition::Done)],
                "the inbox knew it"
            );
        }
        assert_eq!(records(&auditor(&suite, "shop"), "").await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_deliveries_of_one_event_one_records() {
    on_each_database(SERVICES, |suite: Suite| async move {
        pay(&suite.client("shop"), json!({})).await;
        let events = suite.published().await;
        let service = suite.service("audit");
        let deliveries = (0..20).map(|_| {
            let (service, event) = (service.clone(), events[0].clone());
            tokio::spawn(async move { service.deliver("audit.record_event", event, None).await })
        });
        let dispositions = join_all(deliveries).await.into_iter().map(Result::unwrap);
        assert_eq!(dispositions.filter(|d| *d == Disposition::Done).count(), 1);
        assert_eq!(records(&auditor(&suite, "shop"), "").await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_is_one_operation_and_so_are_its_replays() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for _ in 0..3 {
            let order = json!({ "amount": 1_000, "currency": "EUR" });
            assert_eq!(shop.post_once("/v1/payments", "k", order).await.status, 201);
        }
        suite.settle().await;
        assert_eq!(records(&auditor(&suite, "shop"), "&kind=operation").await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recording_makes_no_records_of_its_own() {
    on_each_database(SERVICES, |suite: Suite| async move {
        pay(&suite.client("shop"), json!({})).await;
        let travelled = suite.settle().await;
        assert!(travelled.iter().all(|e| e.source == "/florin/payments"), "{travelled:?}");
        records(&auditor(&suite, "shop"), "").await;
        assert_eq!(suite.settle().await, []);
    })
    .await;
}

fn stray(id: &str, tenant: Option<&str>, data: Data) -> Event {
    Event {
        id: id.to_owned(),
        source: "/florin/elsewhere".to_owned(),
        kind: "florin.parcel.sent.v1".to_owned(),
        subject: None,
        time: None,
        dataschema: None,
        extensions: tenant.map(|t| ("tenant".to_owned(), t.to_owned())).into_iter().collect(),
        data,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_service_not_known_today_is_recorded_whatever_its_data() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let data = |value| Data::Json { content_type: "application/json".to_owned(), value };
        let odd = [
            Data::None,
            Data::Bytes { content_type: Some("image/png".to_owned()), bytes: vec![0, 159, 146] },
            data(json!(null)),
            data(json!([1, "two"])),
            data(json!("text")),
            data(json!({ "actor": 7, "outcome": ["x"], "code": {}, "trace_id": null, "text": "a\u{0}b" })),
        ];
        for (i, data) in odd.into_iter().enumerate() {
            let event = stray(&format!("e{i}"), Some("shop"), data);
            assert_eq!(suite.deliver(&event).await, [("audit.record_event", Disposition::Done)], "{event:?}");
        }
        let recorded = records(&auditor(&suite, "shop"), "&operation=florin.parcel.sent.v1").await;
        assert_eq!(recorded.len(), 6);
        for record in recorded {
            assert_eq!((&record["kind"], &record["resource"]), (&json!("event"), &json!(null)));
            assert_eq!((&record["actor"], &record["outcome"]), (&json!(null), &json!(null)));
            assert_eq!(record["occurred_at"], "2026-01-31T12:00:00.000000Z");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_operations_own_event_says_who_asked_and_what_came_of_it() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let data = json!({ "actor": { "subject": "mallory", "client": "till" }, "operation": "payments.create_payment",
            "resource": "pay_1", "outcome": "succeeded", "code": "shipped", "request_id": "req-1",
            "trace_id": "ffffffffffffffffffffffffffffffff" });
        let data = Data::Json { content_type: "application/json".to_owned(), value: data };
        for (id, traced) in [("traced", true), ("untraced", false)] {
            let mut event = stray(id, Some("shop"), data.clone());
            if traced {
                let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
                event.extensions.insert("traceparent".to_owned(), parent.to_owned());
            }
            assert_eq!(suite.deliver(&event).await, [("audit.record_event", Disposition::Done)]);
        }
        for record in records(&auditor(&suite, "shop"), "").await {
            for column in ["actor", "client", "resource", "outcome", "code", "request_id"] {
                assert_eq!(record[column], json!(null), "{column}");
            }
            let traced = record["event_id"] == "traced";
            let trace = if traced { json!("4bf92f3577b34da6a3ce929d0e0e4736") } else { json!(null) };
            assert_eq!(record["trace_id"], trace);
            assert_eq!(record["data"]["actor"]["subject"], "mallory");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_names_no_tenant_is_a_dead_letter_and_nobodys_record() {
    on_each_database(SERVICES, |suite: Suite| async move {
        for (id, tenant) in [("a", None), ("b", Some("")), ("c", Some("no tenant'; --"))] {
            let event = stray(id, tenant, Data::None);
            let disposition = Disposition::Permanent { code: "tenant_missing".to_owned() };
            assert_eq!(suite.deliver(&event).await, [("audit.record_event", disposition)]);
        }
        assert_eq!(records(&auditor(&suite, "shop"), "").await, Vec::<serde_json::Value>::new());
        let letters = florin_kernel::rows::dead_letters::list(suite.service("audit"), 10).await.unwrap();
        assert_eq!(letters.len(), 3);
    })
    .await;
}
