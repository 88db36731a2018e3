//! Records are appended and nothing else, whoever asks: the service, its owner, a superuser.

use florin_kernel::db::Wall;
use florin_testkit::suite::{Database, Suite, on_each_database};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

use crate::trail::{SERVICES, auditor, pay, records};

/// Ways to change what was recorded. The last ones are PostgreSQL's and SQLite's own.
const CHANGES: [&str; 3] = [
    "UPDATE audit_records SET outcome = 'succeeded', actor = 'somebody else'",
    "UPDATE audit_records SET recorded_at = recorded_at WHERE id = 'none of these'",
    "DELETE FROM audit_records",
];
const OF_POSTGRES: [&str; 2] = [
    "TRUNCATE audit_records",
    "INSERT INTO audit_records SELECT * FROM audit_records ON CONFLICT (id) DO UPDATE SET actor = 'somebody else'",
];
const OF_SQLITE: [&str; 3] = [
    "INSERT OR REPLACE INTO audit_records SELECT id, tenant, kind, name, 'somebody else', client, resource, outcome,
         code, request_id, trace_id, source, event_id, sequence, occurred_at, recorded_at, data FROM audit_records",
    "REPLACE INTO audit_records SELECT id || 'x', tenant, kind, name, 'somebody else', client, resource, outcome,
         code, request_id, trace_id, source, event_id, sequence, occurred_at, recorded_at, data FROM audit_records",
    "UPDATE OR REPLACE audit_records SET actor = 'somebody else'",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_service_itself_cannot_change_or_delete_a_record() {
    on_each_database(SERVICES, |suite: Suite| async move {
        pay(&suite.client("shop"), json!({})).await;
        suite.settle().await;
        let before = records(&auditor(&suite, "shop"), "").await;
        let tenant = "shop".parse().unwrap();
        for sql in CHANGES {
            for wall in [Wall::Tenant(&tenant), Wall::System] {
                let mut tx = suite.service("audit").db.begin(wall).await.unwrap();
                let changed = tx.sql(sql).run().await;
                // An UPDATE of no row at all harms nobody on SQLite, whose triggers are for each row.
                assert!(changed.is_err() || matches!(changed, Ok(0)), "{sql}");
                let _ = tx.commit().await;
            }
        }
        assert_eq!(records(&auditor(&suite, "shop"), "").await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_no_other_way_of_writing_replaces_a_record() {
    on_each_database(SERVICES, |suite: Suite| async move {
        if matches!(suite.database, Database::Postgres { .. }) {
            return;
        }
        pay(&suite.client("shop"), json!({})).await;
        suite.settle().await;
        let before = records(&auditor(&suite, "shop"), "").await;
        for sql in OF_SQLITE {
            let mut tx = suite.service("audit").db.begin(Wall::System).await.unwrap();
            let _ = tx.sql(sql).run().await;
            let _ = tx.commit().await;
            assert_eq!(records(&auditor(&suite, "shop"), "").await, before, "{sql}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_neither_the_owner_nor_a_superuser_can_change_or_delete_a_record() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let Database::Postgres { owner, .. } = &suite.database else { return };
        pay(&suite.client("shop"), json!({})).await;
        suite.settle().await;
        let before = records(&auditor(&suite, "shop"), "").await;
        let options: PgConnectOptions = owner.parse().unwrap();
        let mut on = options.options([("search_path", "audit")]).connect().await.unwrap();
        for role in ["florin_owner", "NONE"] {
            on.execute(AssertSqlSafe(format!("SET ROLE {role}"))).await.unwrap();
            for sql in CHANGES.into_iter().chain(OF_POSTGRES) {
                let refused = on.execute(sql).await.expect_err(sql).to_string();
                assert!(refused.contains("append only"), "{role}: {sql}: {refused}");
            }
        }
        assert_eq!(records(&auditor(&suite, "shop"), "").await, before);
    })
    .await;
}
