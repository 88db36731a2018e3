//! One SQL text on SQLite and PostgreSQL: what really differs between them lives in this folder.

mod connect;
mod error;
mod migrate;
mod query;

use std::time::Duration;

use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use sqlx::{AssertSqlSafe, Postgres, Sqlite, Transaction};

pub use connect::DbConfig;
pub use error::{CommitError, DbError, DbResult, Trouble};
pub use migrate::{Migration, Migrations};
pub use query::{Bind, Query, Record, Sql};

use crate::caller::TenantId;

/// One service's database: a SQLite file, or a PostgreSQL schema.
#[derive(Clone, Debug)]
pub enum Db {
    /// SQLite: one writer, because it has one write lock, and readers beside it (WAL).
    Sqlite {
        /// The one connection that writes.
        write: SqlitePool,
        /// Connections that only read.
        read: SqlitePool,
    },
    /// PostgreSQL 15 or newer.
    Postgres(PgPool),
}

/// Whose rows a transaction sees on PostgreSQL. On SQLite there is no second wall: the `WHERE tenant = ` is all.
#[derive(Clone, Copy, Debug)]
pub enum Wall<'a> {
    /// The role `florin_app` inside one tenant.
    Tenant(&'a TenantId),
    /// The role `florin_system`: only the kernel's tables and what a job's policy shows it.
    System,
}

impl Db {
    /// Begins a transaction that may write. SQLite takes its write lock at once: a deferred transaction
    /// that reads and then writes fails with SQLITE_BUSY_SNAPSHOT, which no busy timeout helps.
    pub async fn begin(&self, wall: Wall<'_>) -> DbResult<Tx> {
        match self {
            Self::Sqlite { write, .. } => Tx::sqlite(write.begin_with("BEGIN IMMEDIATE").await),
            Self::Postgres(pool) => {
                Tx::postgres(pool, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", wall).await
            }
        }
    }

    /// Begins a transaction that only reads, one snapshot for all its statements.
    pub async fn read(&self, wall: Wall<'_>) -> DbResult<Tx> {
        match self {
            Self::Sqlite { read, .. } => Tx::sqlite(read.begin().await),
            Self::Postgres(pool) => {
                Tx::postgres(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", wall).await
            }
        }
    }

    /// Whether the database answers, for `/readyz`.
    pub async fn ping(&self) -> DbResult<()> {
        self.read(Wall::System).await?.sql("SELECT 1").run().await.map(|_| ())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// How long a server may take to answer: far above the lock time-out, far below for ever.
const ANSWER: Duration = Duration::from_secs(15);

/// A server that vanished without a word is away, and not waited for.
pub(crate) async fn bounded<T>(asking: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(ANSWER, asking)
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

/// One transaction. Dropped without [`Tx::commit`], it rolls back.
pub struct Tx {
    on: On,
    /// PostgreSQL aborts a transaction whose statement failed and SQLite carries on; both refuse here,
    /// so that what works on a laptop works in production.
    poisoned: bool,
}

pub(crate) enum On {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    fn sqlite(begun: sqlx::Result<Transaction<'static, Sqlite>>) -> DbResult<Self> {
        Ok(Self { on: On::Sqlite(begun?), poisoned: false })
    }

    async fn postgres(pool: &PgPool, begin: &str, wall: Wall<'_>) -> DbResult<Self> {
        // One round trip. A tenant's alphabet has no quote, so it stands in the text as it is.
        let set = match wall {
            Wall::Tenant(tenant) => {
                format!("SET LOCAL ROLE florin_app; SET LOCAL app.tenant = '{tenant}'")
            }
            Wall::System => "SET LOCAL ROLE florin_system; SET LOCAL app.tenant = ''".to_owned(),
        };
        let text = format!("{begin}; SET LOCAL lock_timeout = '2s'; {set}");
        // In a task of its own: a BEGIN that is dropped half-way leaves a pooled connection inside a transaction
        // that nobody knows of (sqlx counts it only after the answer).
        let pool = pool.clone();
        let begun = tokio::spawn(async move { bounded(pool.begin_with(AssertSqlSafe(text))).await });
        let begun = begun.await.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?;
        Ok(Self { on: On::Postgres(begun?), poisoned: false })
    }

    /// A statement; bind its `$1`, `$2` ... in order.
    pub fn sql(&mut self, sql: impl Into<Sql>) -> Query<'_> {
        Query::new(self, sql.into())
    }

    /// Makes what was done so far the point [`Tx::back_to_savepoint`] returns to.
    pub async fn savepoint(&mut self) -> DbResult<()> {
        self.sql("SAVEPOINT room").run().await.map(|_| ())
    }

    /// Undoes all since [`Tx::savepoint`], a failed statement included.
    pub async fn back_to_savepoint(&mut self) -> DbResult<()> {
        self.poisoned = false;
        self.sql("ROLLBACK TO SAVEPOINT room").run().await.map(|_| ())
    }

    /// Commits. When the connection is lost meanwhile nobody knows whether it did: [`CommitError::Unknown`].
    pub async fn commit(self) -> Result<(), CommitError> {
        if self.poisoned {
            return Err(CommitError::Failed(DbError::poisoned()));
        }
        let done = match self.on {
            On::Sqlite(tx) => tx.commit().await,
            On::Postgres(tx) => bounded(tx.commit()).await,
        };
        done.map_err(|e| CommitError::from(DbError::from(e)))
    }

    /// Rolls back now rather than when the connection is next used.
    pub async fn rollback(self) -> DbResult<()> {
        match self.on {
            On::Sqlite(tx) => tx.rollback().await?,
            On::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}
