//! One SQL text on SQLite and PostgreSQL: what really differs between them lives in this folder.

mod connect;
mod error;
mod migrate;
mod query;
mod server;
mod writer;

use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite, Transaction};

pub use connect::DbConfig;
pub use error::{CommitError, DbError, DbResult, Trouble};
pub use migrate::{Migration, Migrations};
pub use query::{Bind, Query, Record, Sql};
pub use server::Server;
pub use writer::Writer;

use crate::caller::TenantId;
use server::ServerTx;
use writer::WriteTx;

/// One service's database: a SQLite file, or a PostgreSQL schema.
#[derive(Clone, Debug)]
pub enum Db {
    /// SQLite: one writer, because it has one write lock, and readers beside it (WAL).
    Sqlite {
        /// The one connection that writes.
        write: Writer,
        /// Connections that only read.
        read: SqlitePool,
    },
    /// PostgreSQL 15 or newer.
    Postgres(Server),
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
    /// Begins a transaction that may write. On SQLite that is the turn to write; the transaction itself begins with
    /// its first statement, and takes the write lock at once.
    pub async fn begin(&self, wall: Wall<'_>) -> DbResult<Tx> {
        let on = match self {
            Self::Sqlite { write, .. } => On::Write(WriteTx::begin(write.turn().await?)),
            Self::Postgres(server) => {
                On::Postgres(server.begin("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", wall).await?)
            }
        };
        Ok(Tx { on, poisoned: false })
    }

    /// A transaction that only reads, one snapshot for all its statements. It begins with the first of them: who
    /// asks nothing does not wait for the database.
    #[expect(clippy::unused_async, reason = "as `begin`; what it does is this module's own business")]
    pub async fn read(&self, wall: Wall<'_>) -> DbResult<Tx> {
        let tenant = match wall {
            Wall::Tenant(tenant) => Some(tenant.clone()),
            Wall::System => None,
        };
        Ok(Tx { on: On::NotBegun { db: self.clone(), tenant }, poisoned: false })
    }

    async fn begin_reading(&self, wall: Wall<'_>) -> DbResult<On> {
        Ok(match self {
            Self::Sqlite { read, .. } => On::Read(read.begin().await?),
            Self::Postgres(server) => {
                On::Postgres(server.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", wall).await?)
            }
        })
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
            Self::Postgres(server) => server.close().await,
        }
    }
}

/// One transaction. Dropped without [`Tx::commit`], it rolls back.
pub struct Tx {
    on: On,
    /// PostgreSQL aborts a transaction whose statement failed and SQLite carries on; both refuse here,
    /// so that what works on a laptop works in production.
    poisoned: bool,
}

enum On {
    /// It will read, inside this tenant or as the system.
    NotBegun { db: Db, tenant: Option<TenantId> },
    /// SQLite, reading.
    Read(Transaction<'static, Sqlite>),
    /// SQLite, writing.
    Write(WriteTx),
    /// PostgreSQL.
    Postgres(ServerTx),
}

impl On {
    fn is_sqlite(&self) -> bool {
        match self {
            Self::Read(_) | Self::Write(_) => true,
            Self::Postgres(_) => false,
            Self::NotBegun { db, .. } => matches!(db, Db::Sqlite { .. }),
        }
    }
}

impl Tx {
    /// Begins now what begins with its first statement.
    async fn begun(&mut self) -> DbResult<()> {
        if let On::NotBegun { db, tenant } = &self.on {
            let wall = tenant.as_ref().map_or(Wall::System, Wall::Tenant);
            self.on = db.begin_reading(wall).await?;
        }
        Ok(())
    }

    /// A statement; bind its `$1`, `$2` ... in order.
    pub fn sql(&mut self, sql: impl Into<Sql>) -> Query<'_> {
        Query::new(self, sql.into())
    }

    /// Makes what was done so far the point [`Tx::back_to_savepoint`] returns to.
    pub async fn savepoint(&mut self) -> DbResult<()> {
        match &mut self.on {
            On::Write(on) => {
                on.savepoint();
                Ok(())
            }
            _ => self.sql("SAVEPOINT room").run().await.map(|_| ()),
        }
    }

    /// Undoes all since [`Tx::savepoint`], a failed statement included.
    pub async fn back_to_savepoint(&mut self) -> DbResult<()> {
        self.poisoned = false;
        match &mut self.on {
            On::Write(on) => on.back_to_savepoint().await.map_err(|error| self.poison(error)),
            _ => self.sql("ROLLBACK TO SAVEPOINT room").run().await.map(|_| ()),
        }
    }

    /// Commits. When the connection is lost meanwhile nobody knows whether it did: [`CommitError::Unknown`].
    pub async fn commit(self) -> Result<(), CommitError> {
        if self.poisoned {
            return Err(CommitError::Failed(DbError::poisoned()));
        }
        let done = match self.on {
            On::NotBegun { .. } => Ok(()),
            On::Read(tx) => tx.commit().await,
            On::Write(tx) => tx.commit().await,
            On::Postgres(tx) => tx.commit().await,
        };
        done.map_err(|e| CommitError::from(DbError::from(e)))
    }

    /// Rolls back now rather than when the connection is next used.
    pub async fn rollback(self) -> DbResult<()> {
        match self.on {
            On::NotBegun { .. } => {}
            On::Read(tx) => tx.rollback().await?,
            On::Write(tx) => tx.roll_back().await,
            On::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}
