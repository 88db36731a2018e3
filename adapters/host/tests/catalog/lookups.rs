//! A row that is looked for by its tenant and its id is found by its id, also by a plan made while the table was empty.
//!
//! An index that begins with the tenant looks as good to PostgreSQL then, and the plan that walks a whole tenant stays
//! until the table is analysed.

#![expect(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests, not what they share")]

use florin_host::services::SERVICES;
use florin_kernel::db::{Sql, Tx, Wall};
use florin_testkit::suite::{Engine, on_each_database};

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_found_by_its_id_and_not_among_its_tenants() {
    on_each_database(SERVICES, |suite| async move {
        let tenant = "anna".parse().unwrap();
        for definition in SERVICES {
            let db = &suite.service(definition.name).db;
            let tables = tables(&mut db.read(Wall::Tenant(&tenant)).await.unwrap()).await;
            assert!(tables.len() > 3, "{}: {tables:?}", definition.name);
            for table in tables {
                let mut tx = db.read(Wall::Tenant(&tenant)).await.unwrap();
                let plan = plan(&mut tx, suite.engine, &table).await;
                let by_id =
                    ["(id=?)", "(tenant=? AND id=?)", "Index Cond: (id = ", "_by_age on ", "_in_order on "];
                assert!(by_id.iter().any(|found| plan.contains(found)), "{table}: {plan}");
            }
        }
    })
    .await;
}

/// The tables of one service whose rows have a tenant and an id.
async fn tables(tx: &mut Tx) -> Vec<String> {
    let tables: Vec<(String,)> = tx
        .sql(Sql::each(
            "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND c.name IN ('id', 'tenant') GROUP BY m.name HAVING count(*) = 2",
            "SELECT table_name::text FROM information_schema.columns
             WHERE table_schema = current_schema() AND column_name IN ('id', 'tenant')
             GROUP BY table_name HAVING count(*) = 2",
        ))
        .all()
        .await
        .unwrap();
    tables.into_iter().map(|(table,)| table).collect()
}

/// How the engine would find a row of this table.
async fn plan(tx: &mut Tx, engine: Engine, table: &str) -> String {
    let lookup = format!("SELECT * FROM {table} WHERE tenant = $1 AND id = $2");
    let explain = match engine {
        Engine::Sqlite => "EXPLAIN QUERY PLAN",
        Engine::Postgres => "EXPLAIN",
    };
    // A statement is one for ever; this one is put together.
    let asked = tx.sql(&*format!("{explain} {lookup}").leak()).bind("anna").bind("x");
    match engine {
        Engine::Sqlite => {
            let steps: Vec<(i64, i64, i64, String)> = asked.all().await.unwrap();
            steps.into_iter().map(|(.., step)| step).collect()
        }
        Engine::Postgres => {
            let lines: Vec<(String,)> = asked.all().await.unwrap();
            lines.into_iter().map(|(line,)| line).collect()
        }
    }
}
