//! The test's own look into a deployment's database, as its owner, and the clock of its rows.

use std::time::Duration;

use florin_kernel::time::Clock;
use florin_testkit::suite::Database;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

/// One service's database.
pub struct Rows {
    database: Database,
    service: &'static str,
}

impl Rows {
    pub(crate) fn new(database: &Database, service: &'static str) -> Self {
        Self { database: database.clone(), service }
    }

    /// Runs a statement; how many rows it changed.
    pub async fn run(&self, sql: &str) -> u64 {
        match &self.database {
            Database::Sqlite(_) => {
                let address = self.database.url(self.service);
                let options: SqliteConnectOptions = address.parse().expect("an address of SQLite");
                let mut on = options.connect().await.expect("SQLite opens");
                let done = sqlx::query(AssertSqlSafe(sql)).execute(&mut on).await.expect(sql).rows_affected();
                on.close().await.expect("SQLite closes");
                done
            }
            Database::Postgres { .. } => {
                let mut on = self.postgres().await;
                let done = sqlx::query(AssertSqlSafe(sql)).execute(&mut on).await.expect(sql).rows_affected();
                on.close().await.expect("PostgreSQL closes");
                done
            }
        }
    }

    /// The number that a query finds.
    pub async fn number(&self, sql: &str) -> i64 {
        match &self.database {
            Database::Sqlite(_) => {
                let address = self.database.url(self.service);
                let options: SqliteConnectOptions = address.parse().expect("an address of SQLite");
                let mut on = options.connect().await.expect("SQLite opens");
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut on).await.expect(sql)
            }
            Database::Postgres { .. } => {
                let mut on = self.postgres().await;
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut on).await.expect(sql)
            }
        }
    }

    /// The rows that wait for somebody: operations without an answer, effects that are not done, and deliveries that
    /// failed and are to come again. At rest there is none.
    pub async fn unfinished(&self) -> Vec<String> {
        let mut unfinished = Vec::new();
        for rows in [
            "florin_operations WHERE state = 'open'",
            "florin_effects WHERE state <> 'done'",
            "florin_inbox WHERE state = 'failing'",
        ] {
            let count = self.number(&format!("SELECT count(*) FROM {rows}")).await;
            if count != 0 {
                unfinished.push(format!("{}: {count} of {rows}", self.service));
            }
        }
        unfinished
    }

    /// A connection of the owner, whose transactions a test holds open.
    ///
    /// # Panics
    /// When this is no PostgreSQL.
    pub async fn postgres(&self) -> PgConnection {
        let Database::Postgres { owner, .. } = &self.database else { panic!("this is SQLite") };
        let options: PgConnectOptions = owner.parse().expect("an address of PostgreSQL");
        options.options([("search_path", self.service)]).connect().await.expect("PostgreSQL answers")
    }

    /// Ends the claim of every relay: what a killed one had claimed would wait for its lease.
    pub async fn end_claims(&self) -> u64 {
        self.run("UPDATE florin_outbox SET due_at = created_at WHERE published_at IS NULL").await
    }

    /// Ends the lease of every effect that is wanted: the clocks of runners differ, a machine was asleep.
    pub async fn end_leases(&self) -> u64 {
        self.run("UPDATE florin_effects SET due_at = created_at WHERE state = 'wanted'").await
    }

    /// Makes the effects that are wanted older by as much, as if the clock had moved.
    pub async fn age_effects(&self, by: Duration) -> u64 {
        let then = Clock::System.now().minus(by);
        self.run(&format!(
            "UPDATE florin_effects SET created_at = '{then}', due_at = '{then}' WHERE state = 'wanted'"
        ))
        .await
    }
}
