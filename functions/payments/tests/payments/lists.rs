//! Lists: the newest first, narrowed by what is asked, a page at a time.

use std::time::Duration;

use florin_testkit::suite::{Client, Suite, on_each_database};
use serde_json::{Value, json};

use crate::shop::{SERVICES, act, assert_problem, created, paid, refund, wrong_field};

/// The identifiers on a page, and the cursor of the next.
async fn page(shop: &Client, path: &str) -> (Vec<String>, Option<String>) {
    let reply = shop.get(path).await;
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    let ids = reply.body["data"]
        .as_array()
        .expect("data")
        .iter()
        .map(|p| p["id"].as_str().expect("an id").to_owned());
    (ids.collect(), reply.body["next_cursor"].as_str().map(str::to_owned))
}

/// Payments a second apart, the oldest first.
async fn payments(suite: &Suite, shop: &Client, many: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..many {
        suite.advance(Duration::from_secs(1));
        ids.push(created(shop, json!({})).await);
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_are_listed_by_status_reference_and_time_the_newest_first() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        suite.advance(Duration::from_secs(1));
        let one = created(&shop, json!({ "reference": "a" })).await;
        suite.advance(Duration::from_secs(1));
        let two = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
        suite.advance(Duration::from_secs(1));
        let three = paid(&shop).await;
        for (query, expected) in [
            ("", vec![&three, &two, &one]),
            ("?status=succeeded", vec![&three]),
            ("?status=requires_confirmation", vec![&two]),
            ("?status=canceled", vec![]),
            ("?reference=a", vec![&one]),
            ("?reference=b", vec![]),
            ("?created_from=2026-01-31T12:00:02Z", vec![&three, &two]),
            ("?created_before=2026-01-31T12:00:02Z", vec![&one]),
            ("?created_from=2026-01-31T12:00:02Z&created_before=2026-01-31T12:00:03Z", vec![&two]),
            ("?created_from=2026-01-31T13:00:02.000001%2B01:00", vec![&three]),
            ("?status=succeeded&created_before=2026-01-31T12:00:03Z", vec![]),
            ("?status=requires_payment_method&reference=a&limit=1", vec![&one]),
        ] {
            let (ids, next) = page(&shop, &format!("/v1/payments{query}")).await;
            assert_eq!((ids.iter().collect::<Vec<_>>(), next), (expected, None), "{query}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_and_new_payments_do_not_disturb_them() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let mut expected = payments(&suite, &shop, 7).await;
        expected.reverse();
        let (mut all, mut next) = page(&shop, "/v1/payments?limit=3").await;
        while let Some(cursor) = next {
            payments(&suite, &shop, 2).await;
            let (ids, following) = page(&shop, &format!("/v1/payments?limit=3&cursor={cursor}")).await;
            all.extend(ids);
            next = following;
        }
        assert_eq!(all, expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_page_says_so_also_when_it_is_full() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        payments(&suite, &shop, 4).await;
        let (first, next) = page(&shop, "/v1/payments?limit=2").await;
        let (second, end) =
            page(&shop, &format!("/v1/payments?limit=2&cursor={}", next.expect("a next page"))).await;
        assert_eq!((first.len(), second.len(), end), (2, 2, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_list_or_of_other_filters_is_refused_and_no_empty_page() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        payments(&suite, &shop, 4).await;
        let (_, next) = page(&shop, "/v1/payments?limit=2&created_from=2026-01-01T00:00:00Z").await;
        let cursor = next.expect("a next page");
        let same = format!("/v1/payments?cursor={cursor}&created_from=2026-01-01T00:00:00Z&limit=1");
        assert_eq!(page(&shop, &same).await.0.len(), 1, "the size and the order of parameters are no filter");
        for other in [
            format!("/v1/payments?cursor={cursor}"),
            format!("/v1/payments?cursor={cursor}&created_from=2026-01-01T00:00:01Z"),
            format!("/v1/payments?cursor={cursor}&created_from=2026-01-01T00:00:00Z&status=succeeded"),
            format!("/v1/payments?cursor={cursor}&created_before=2026-01-01T00:00:00Z"),
            format!("/v1/refunds?cursor={cursor}"),
        ] {
            let reply = shop.get(&other).await;
            assert_problem(&reply, 400, "invalid_request");
            assert_eq!(wrong_field(&reply), "cursor", "{other}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_1_to_100_entries_and_20_when_nothing_is_said() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        payments(&suite, &shop, 101).await;
        for (query, entries) in [("", 20), ("?limit=1", 1), ("?limit=100", 100)] {
            assert_eq!(page(&shop, &format!("/v1/payments{query}")).await.0.len(), entries);
        }
        for list in ["payments", "refunds"] {
            for limit in ["0", "101", "-1", "1.0", "1e1", "ten", "", "9223372036854775808", "%201"] {
                let reply = shop.get(&format!("/v1/{list}?limit={limit}")).await;
                assert_problem(&reply, 400, "invalid_request");
                assert_eq!(wrong_field(&reply), "limit", "{limit}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_is_unknown_wrong_or_repeated_is_named() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for (query, name) in [
            ("colour=red", "colour"),
            ("Status=succeeded", "Status"),
            ("tenant=other", "tenant"),
            ("status=paid", "status"),
            ("status=", "status"),
            ("status=succeeded&status=canceled", "status"),
            ("reference=", "reference"),
            ("reference=a%00b", "reference"),
            ("created_from=yesterday", "created_from"),
            ("created_before=2026-01-31", "created_before"),
            ("cursor=", "cursor"),
            ("cursor=%21%21%21", "cursor"),
            ("cursor=a", "cursor"),
            ("cursor=w7w", "cursor"),
        ] {
            let reply = shop.get(&format!("/v1/payments?{query}")).await;
            assert_problem(&reply, 400, "invalid_request");
            assert_eq!(wrong_field(&reply), name, "{query}");
        }
        let reply = shop.get("/v1/refunds?payment=ref_1").await;
        assert_eq!((reply.status, wrong_field(&reply)), (400, "payment"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_are_listed_by_payment_status_and_reference() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (first, second) = (paid(&shop).await, paid(&shop).await);
        let mut made = Vec::new();
        for (payment, reference) in [(&first, "a"), (&second, "b"), (&first, "c")] {
            suite.advance(Duration::from_secs(1));
            made.push(refund(&shop, payment, json!({ "amount": 1, "reference": reference })).await.id());
        }
        for (query, expected) in [
            (String::new(), vec![&made[2], &made[1], &made[0]]),
            (format!("?payment={first}"), vec![&made[2], &made[0]]),
            (format!("?payment={first}&status=succeeded&reference=a"), vec![&made[0]]),
            ("?status=failed".to_owned(), vec![]),
            ("?reference=b".to_owned(), vec![&made[1]]),
        ] {
            let (ids, _) = page(&shop, &format!("/v1/refunds{query}")).await;
            assert_eq!(ids.iter().collect::<Vec<_>>(), expected, "{query}");
        }
        let (_, next) = page(&shop, "/v1/refunds?limit=2").await;
        assert_eq!(
            page(&shop, &format!("/v1/refunds?cursor={}", next.unwrap())).await,
            (vec![made[0].clone()], None)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_a_list_is_what_getting_it_gives() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id =
            created(&shop, json!({ "payment_method": "pm_card_declined", "metadata": { "k": "v" } })).await;
        act(&shop, &id, "confirm", json!({})).await;
        let listed: Value = shop.get("/v1/payments").await.body["data"][0].clone();
        assert_eq!(listed, shop.get(&format!("/v1/payments/{id}")).await.body);
    })
    .await;
}
