//! What waits to go along with a later statement is done or undone with its transaction, on both databases.

use std::time::Duration;

use florin_kernel::caller::TenantId;
use florin_kernel::db::{CommitError, Db, DbConfig, DbResult, Migration, Trouble, Tx, Wall};
use florin_kernel::service::Definition;
use florin_testkit::suite::{Database, Engine};

const PAIRS: Definition = Definition {
    name: "pairs",
    summary: "Pairs, for this test.",
    functions: &[],
    events: &[],
    migrations: &[Migration {
        version: 1,
        name: "pairs",
        sql: "CREATE TABLE pairs (name text PRIMARY KEY, number bigint NOT NULL CHECK (number > 0));
              --pg: GRANT SELECT, INSERT, UPDATE ON pairs TO florin_app;",
        contracting: false,
    }],
    audited: false,
};

fn tenant() -> TenantId {
    "acme".parse().expect("a tenant")
}

async fn on_each_database(test: impl AsyncFn(Db)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let Some(database) = Database::create(engine, directory.path()).await else { continue };
        let db = database.of_service(&PAIRS).await;
        test(db.clone()).await;
        db.close().await;
        database.remove().await;
    }
}

async fn begin(db: &Db) -> Tx {
    db.begin(Wall::Tenant(&tenant())).await.expect("a transaction begins")
}

async fn insert(tx: &mut Tx, name: &str, number: i64) -> DbResult<()> {
    let query = tx.sql("INSERT INTO pairs (name, number) VALUES ($1, $2)");
    query.bind(name.to_owned()).bind(number).later().await
}

async fn pairs(db: &Db) -> Vec<(String, i64)> {
    let mut tx = db.read(Wall::Tenant(&tenant())).await.expect("a reading begins");
    tx.sql("SELECT name, number FROM pairs ORDER BY name").all().await.expect("the pairs are read")
}

fn pair(name: &str, number: i64) -> (String, i64) {
    (name.to_owned(), number)
}

#[tokio::test]
async fn each_statement_that_waits_keeps_its_own_values() {
    on_each_database(async |db| {
        let mut tx = begin(&db).await;
        insert(&mut tx, "a", 1).await.unwrap();
        insert(&mut tx, "b", 2).await.unwrap();
        let query = tx.sql("UPDATE pairs SET number = number + $2 WHERE name = $1 OR number = $2");
        assert_eq!(query.bind("a").bind(2_i64).run().await.unwrap(), 2);
        insert(&mut tx, "c", 5).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(pairs(&db).await, [pair("a", 3), pair("b", 4), pair("c", 5)]);
    })
    .await;
}

#[tokio::test]
async fn a_failure_of_what_waited_fails_the_commit_and_leaves_nothing() {
    on_each_database(async |db| {
        let mut tx = begin(&db).await;
        insert(&mut tx, "a", 1).await.unwrap();
        // PostgreSQL says so at once, and then refuses the commit too.
        let _ = insert(&mut tx, "b", -1).await;
        assert!(matches!(tx.commit().await, Err(CommitError::Failed(_))));
        assert_eq!(pairs(&db).await, []);
        let mut tx = begin(&db).await;
        insert(&mut tx, "c", 1).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(pairs(&db).await, [pair("c", 1)]);
    })
    .await;
}

#[tokio::test]
async fn what_failed_poisons_the_transaction_until_its_savepoint() {
    on_each_database(async |db| {
        let mut tx = begin(&db).await;
        insert(&mut tx, "kept", 1).await.unwrap();
        tx.savepoint().await.unwrap();
        let _ = insert(&mut tx, "kept", 2).await;
        let asked = tx.sql("UPDATE pairs SET number = 9").run().await;
        assert!(asked.is_err());
        assert_eq!(tx.sql("UPDATE pairs SET number = 9").run().await.unwrap_err().trouble(), Trouble::Fault);
        tx.back_to_savepoint().await.unwrap();
        insert(&mut tx, "after", 3).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(pairs(&db).await, [pair("after", 3), pair("kept", 1)]);
    })
    .await;
}

#[tokio::test]
async fn what_waits_behind_a_savepoint_goes_back_with_it() {
    on_each_database(async |db| {
        let mut tx = begin(&db).await;
        insert(&mut tx, "kept", 1).await.unwrap();
        tx.savepoint().await.unwrap();
        insert(&mut tx, "undone", 2).await.unwrap();
        tx.back_to_savepoint().await.unwrap();
        insert(&mut tx, "undone too", 3).await.unwrap();
        tx.back_to_savepoint().await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(pairs(&db).await, [pair("kept", 1)]);
    })
    .await;
}

#[tokio::test]
async fn a_transaction_that_is_dropped_at_any_moment_is_undone_before_the_next_one() {
    on_each_database(async |db| {
        for moment in 0..40_u32 {
            let change = async {
                let mut tx = begin(&db).await;
                insert(&mut tx, "a", 1).await?;
                tx.sql("UPDATE pairs SET number = 2").run().await?;
                insert(&mut tx, "b", 1).await?;
                tx.sql("UPDATE pairs SET number = 3").run().await?;
                // Neither committed nor rolled back.
                DbResult::Ok(())
            };
            let mut change = std::pin::pin!(change);
            for _ in 0..moment {
                if futures_util::poll!(&mut change).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(pairs(&db).await, []);
        let mut tx = begin(&db).await;
        insert(&mut tx, "c", 1).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(pairs(&db).await, [pair("c", 1)]);
    })
    .await;
}

#[tokio::test]
async fn a_commit_that_nobody_awaits_to_its_end_is_made_whole_or_not_at_all() {
    on_each_database(async |db| {
        for moment in 0..40_u32 {
            let (one, two) = (format!("a{moment}"), format!("b{moment}"));
            let change = async {
                let mut tx = begin(&db).await;
                insert(&mut tx, &one, 1).await?;
                insert(&mut tx, &two, 1).await?;
                tx.commit().await.map_err(CommitError::into_error)
            };
            let mut change = Box::pin(change);
            for _ in 0..moment {
                if futures_util::poll!(&mut change).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(change);
            // Whoever comes next finds it ended.
            let mut tx = begin(&db).await;
            let query = tx.sql("SELECT count(*) FROM pairs WHERE name = $1 OR name = $2");
            let (count,): (i64,) = query.bind(one).bind(two).one().await.unwrap();
            assert!(count == 0 || count == 2, "{count} of two rows at moment {moment}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_reading_that_asks_nothing_does_not_need_the_database() {
    let mut away = DbConfig::new("postgres://nobody@127.0.0.1:1/nothing", "pairs");
    away.acquire_timeout = Duration::from_millis(100);
    let db = away.connect().await.unwrap();
    let tx = db.read(Wall::System).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.read(Wall::System).await.unwrap();
    let asked = tokio::time::timeout(Duration::from_secs(10), tx.sql("SELECT 1").run()).await.unwrap();
    assert_eq!(asked.unwrap_err().trouble(), Trouble::Away);
}
