//! Tenants: what is another's does not exist.

use florin_kernel::db::Wall;
use florin_testkit::suite::{Engine, Suite, on_each_database};
use serde_json::json;

use crate::shop::{SERVICES, act, assert_problem, authorized, created, paid, payment, refund};

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_payment_is_404_for_every_verb_and_stays_as_it_is() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let (shop, other) = (suite.client("shop"), suite.client("other"));
        let ids = [
            created(&shop, json!({ "payment_method": "pm_card_visa" })).await,
            authorized(&shop).await,
            paid(&shop).await,
        ];
        for id in ids {
            let before = payment(&shop, &id).await;
            let asked = suite.peers.seen().len();
            assert_problem(&other.get(&format!("/v1/payments/{id}")).await, 404, "payment_not_found");
            for verb in ["confirm", "capture", "cancel"] {
                assert_problem(&act(&other, &id, verb, json!({})).await, 404, "payment_not_found");
            }
            assert_problem(&refund(&other, &id, json!({})).await, 404, "payment_not_found");
            assert_eq!((payment(&shop, &id).await, suite.peers.seen().len()), (before, asked));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_anothers_looks_exactly_like_what_never_was() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let id = paid(&suite.client("shop")).await;
        let other = suite.client("other");
        let never = format!("pay_{}", "0".repeat(32));
        let shown = |reply: &florin_testkit::suite::Reply, id: &str| {
            let trace = reply.body["trace_id"].as_str().unwrap().to_owned();
            String::from_utf8_lossy(&reply.bytes).replace(id, "ID").replace(&trace, "TRACE")
        };
        let (theirs, nothing) = (
            other.get(&format!("/v1/payments/{id}")).await,
            other.get(&format!("/v1/payments/{never}")).await,
        );
        assert_eq!(shown(&theirs, &id), shown(&nothing, &never));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_refund_is_404_and_in_no_list() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let (shop, other) = (suite.client("shop"), suite.client("other"));
        let id = paid(&shop).await;
        let made = refund(&shop, &id, json!({ "amount": 10, "reference": "r" })).await.id();
        assert_problem(&other.get(&format!("/v1/refunds/{made}")).await, 404, "refund_not_found");
        for query in [
            String::new(),
            format!("?payment={id}"),
            "?reference=r".to_owned(),
            "?status=succeeded".to_owned(),
        ] {
            assert_eq!(other.get(&format!("/v1/refunds{query}")).await.body["data"], json!([]), "{query}");
            assert_eq!(
                shop.get(&format!("/v1/refunds{query}")).await.body["data"][0]["id"],
                json!(made),
                "{query}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_ones_own_payments_alone() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let (shop, other) = (suite.client("shop"), suite.client("other"));
        let mine = created(&shop, json!({ "reference": "r" })).await;
        let theirs = created(&other, json!({ "reference": "r" })).await;
        for query in
            ["", "?reference=r", "?status=requires_payment_method", "?created_from=2020-01-01T00:00:00Z"]
        {
            for (client, id) in [(&shop, &mine), (&other, &theirs)] {
                let page = client.get(&format!("/v1/payments{query}")).await;
                let ids: Vec<_> =
                    page.body["data"].as_array().unwrap().iter().map(|p| p["id"].clone()).collect();
                assert_eq!(ids, [json!(id)], "{query}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_a_statement_that_forgets_its_tenant_sees_nothing_of_others() {
    on_each_database(SERVICES, |suite: Suite| async move {
        if suite.engine == Engine::Sqlite {
            return;
        }
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        act(&shop, &id, "capture", json!({ "amount": 10, "final": false })).await;
        refund(&shop, &id, json!({ "amount": 5 })).await;
        let db = &suite.service("payments").db;
        for (tenant, rows) in [("shop", 1), ("other", 0)] {
            let tenant = tenant.parse().unwrap();
            for sql in [
                "SELECT count(*) FROM payments",
                "SELECT count(*) FROM payment_attempts",
                "SELECT count(*) FROM refunds",
            ] {
                let mut tx = db.begin(Wall::Tenant(&tenant)).await.unwrap();
                let (seen,): (i64,) = tx.sql(sql).one().await.unwrap();
                assert_eq!(seen, rows, "{tenant}: {sql}");
            }
            let mut tx = db.begin(Wall::Tenant(&tenant)).await.unwrap();
            let moved =
                tx.sql("UPDATE payments SET amount_received = 0, amount_refunded = 0").run().await.unwrap();
            assert_eq!(moved, u64::try_from(rows).unwrap(), "{tenant}");
            tx.rollback().await.unwrap();
        }
        // The system's role finds what may expire, and reads no more of it.
        let mut tx = db.begin(Wall::System).await.unwrap();
        let found: Vec<(String, String)> = tx.sql("SELECT tenant, id FROM payments").all().await.unwrap();
        assert_eq!(found, [("shop".to_owned(), id)]);
        assert!(tx.sql("SELECT amount FROM payments").run().await.is_err());
        let mut tx = db.begin(Wall::System).await.unwrap();
        assert!(tx.sql("SELECT id FROM refunds").run().await.is_err());
    })
    .await;
}
