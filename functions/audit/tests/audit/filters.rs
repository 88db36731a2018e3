//! Finding records: by kind, operation, actor, resource and time, a page at a time.

use std::time::Duration;

use florin_testkit::suite::{Suite, on_each_database};
use serde_json::{Value, json};

use crate::trail::{SERVICES, auditor, line, lines, pay, records};

const WRITE: &[&str] = &["payments:write"];

#[tokio::test(flavor = "multi_thread")]
async fn records_are_found_by_kind_operation_actor_resource_and_time() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let (anna, ben) = (suite.client_with("shop", "anna", WRITE), suite.client_with("shop", "ben", WRITE));
        let first = pay(&anna, json!({})).await.id();
        suite.advance(Duration::from_secs(60));
        let second = pay(&ben, json!({})).await.id();
        suite.advance(Duration::from_secs(60));
        ben.post(&format!("/v1/payments/{first}/cancel"), json!({})).await;
        suite.settle().await;
        let created = |id: &str| {
            [
                format!("event florin.payment.created.v1 {id} 1"),
                format!("operation payments.create_payment {id} succeeded -"),
            ]
        };
        let canceled = [
            format!("event florin.payment.canceled.v1 {first} 2"),
            format!("operation payments.cancel_payment {first} succeeded -"),
        ];
        let (one, two) = (created(&first), created(&second));
        for (query, expected) in [
            ("&kind=event".to_owned(), vec![&one[0], &two[0], &canceled[0]]),
            ("&kind=operation".to_owned(), vec![&one[1], &two[1], &canceled[1]]),
            ("&operation=payments.create_payment".to_owned(), vec![&one[1], &two[1]]),
            ("&operation=florin.payment.canceled.v1".to_owned(), vec![&canceled[0]]),
            ("&operation=payments.create".to_owned(), vec![]),
            ("&actor=anna".to_owned(), vec![&one[1]]),
            ("&actor=ben".to_owned(), vec![&two[1], &canceled[1]]),
            ("&actor=ann".to_owned(), vec![]),
            (format!("&resource={first}"), vec![&one[0], &one[1], &canceled[0], &canceled[1]]),
            (format!("&resource={first}&actor=ben"), vec![&canceled[1]]),
            ("&from=2026-01-31T12:01:00Z".to_owned(), vec![&two[0], &two[1], &canceled[0], &canceled[1]]),
            ("&before=2026-01-31T12:01:00Z".to_owned(), vec![&one[0], &one[1]]),
            ("&from=2026-01-31T12:01:00Z&before=2026-01-31T12:02:00Z".to_owned(), vec![&two[0], &two[1]]),
            ("&from=2026-01-31T13:01:00.000001%2B01:00&kind=event".to_owned(), vec![&canceled[0]]),
            (format!("&kind=event&operation=florin.payment.created.v1&resource={second}"), vec![&two[0]]),
        ] {
            let mut expected: Vec<String> = expected.into_iter().cloned().collect();
            expected.sort();
            assert_eq!(lines(&records(&auditor(&suite, "shop"), &query).await), expected, "{query}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_the_newest_first_and_new_records_do_not_disturb_them() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for _ in 0..3 {
            suite.advance(Duration::from_secs(1));
            pay(&shop, json!({})).await;
            suite.settle().await;
        }
        let auditor = auditor(&suite, "shop");
        let expected = records(&auditor, "").await;
        assert_eq!(expected.len(), 6);
        assert!(expected.is_sorted_by(|a, b| a["recorded_at"].as_str() >= b["recorded_at"].as_str()));
        let (mut all, mut path) = (Vec::<Value>::new(), "/v1/audit/records?limit=2".to_owned());
        loop {
            let page = auditor.get(&path).await.body;
            all.extend(page["data"].as_array().unwrap().iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/audit/records?limit=2&cursor={cursor}");
            suite.advance(Duration::from_secs(1));
            pay(&shop, json!({})).await;
            suite.settle().await;
        }
        assert_eq!(all.iter().map(line).collect::<Vec<_>>(), expected.iter().map(line).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_is_unknown_wrong_or_repeated_is_named() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let auditor = auditor(&suite, "shop");
        for (query, name) in [
            ("colour=red", "colour"),
            ("tenant=other", "tenant"),
            ("kind=thing", "kind"),
            ("kind=event&kind=event", "kind"),
            ("from=today", "from"),
            ("before=2026-13-01T00:00:00Z", "before"),
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("cursor=%25", "cursor"),
            ("actor=", "actor"),
        ] {
            let reply = auditor.get(&format!("/v1/audit/records?{query}")).await;
            assert_eq!((reply.status, reply.code()), (400, "invalid_request"), "{query}");
            assert_eq!(reply.body["errors"][0]["parameter"], name, "{query}: {reply:?}");
        }
    })
    .await;
}
