//! The second wall: on PostgreSQL a statement that forgets its tenant sees nothing of another's.

use florin_kernel::db::{Trouble, Wall};
use florin_kernel::rows::outbox;
use florin_testkit::suite::{Database, Engine, on_each_database};
use serde_json::json;

use crate::notes::NOTES;

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_forgets_its_tenant_sees_only_its_own_rows() {
    on_each_database(&[&NOTES], |suite| async move {
        if suite.engine == Engine::Sqlite {
            return;
        }
        let (anna, bert) = (suite.client("anna"), suite.client("bert"));
        anna.post("/notes", json!({"text": "of anna"})).await;
        bert.post("/notes", json!({"text": "of bert"})).await;
        let careless = anna.get("/notes?careless=true").await;
        assert_eq!(careless.body, json!([{"text": "of anna"}]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_row_cannot_be_written_and_no_tenant_matches_nothing() {
    on_each_database(&[&NOTES], |suite| async move {
        if suite.engine == Engine::Sqlite {
            return;
        }
        suite.client("bert").post("/notes", json!({"text": "of bert"})).await;
        let service = suite.service("notes");
        let anna = "anna".parse().unwrap();
        let mut tx = service.db.begin(Wall::Tenant(&anna)).await.unwrap();
        assert_eq!(tx.sql("UPDATE notes SET text = 'mine'").run().await.unwrap(), 0);
        let stolen =
            tx.sql("INSERT INTO notes (id, tenant, text) VALUES ('n', 'bert', 'forged')").run().await;
        assert_eq!(stolen.unwrap_err().trouble(), Trouble::Fault, "row-level security refuses it");
        for setting in ["SET LOCAL app.tenant = ''", "RESET app.tenant"] {
            let mut tx = service.db.begin(Wall::Tenant(&anna)).await.unwrap();
            tx.sql(setting).run().await.unwrap();
            let seen: Vec<(String,)> = tx.sql("SELECT text FROM notes").all().await.unwrap();
            assert!(seen.is_empty(), "{setting}: {seen:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_login_owns_nothing_and_bypasses_nothing() {
    on_each_database(&[&NOTES], |suite| async move {
        let Database::Postgres { .. } = &suite.database else { return };
        let mut tx = suite.service("notes").db.read(Wall::System).await.unwrap();
        let (strong,): (bool,) = tx
            .sql("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user")
            .one()
            .await
            .unwrap();
        assert!(!strong);
        let open: Vec<(String,)> = tx
            .sql(
                "SELECT c.relname
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = 'notes' AND c.relkind = 'r' AND c.relname <> 'florin_migrations'
                     AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
            )
            .all()
            .await
            .unwrap();
        assert!(open.is_empty(), "without row-level security: {open:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn relay_and_sweep_find_the_work_of_every_tenant() {
    on_each_database(&[&NOTES], |suite| async move {
        for tenant in ["anna", "bert"] {
            suite.client(tenant).post("/notes", json!({"text": tenant})).await;
        }
        assert_eq!(outbox::backlog(suite.service("notes")).await.unwrap().0, 4);
        assert_eq!(suite.published().await.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_system_sees_no_service_rows_but_what_a_jobs_policy_shows() {
    on_each_database(&[&NOTES], |suite| async move {
        if suite.engine == Engine::Sqlite {
            return;
        }
        suite.client("anna").post("/notes", json!({"text": "of anna"})).await;
        let mut tx = suite.service("notes").db.begin(Wall::System).await.unwrap();
        let changed = tx.sql("UPDATE notes SET text = 'changed'").run().await;
        assert!(changed.is_err(), "florin_system may not change a service's rows");
    })
    .await;
}
