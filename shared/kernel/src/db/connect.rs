//! Opens a service's database from its address.

use std::str::FromStr;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::writer::Writer;
use super::{Db, DbError, DbResult, Server, Trouble};

/// Where a service's database is and how many connections it may have.
#[derive(Clone, Debug)]
pub struct DbConfig {
    /// `sqlite://path/to/file.db`, `postgres://...`.
    pub url: String,
    /// PostgreSQL: the schema, named after the service. SQLite has a file per service instead.
    pub schema: String,
    /// The most connections (PostgreSQL) or readers (SQLite). On Lambda: 1.
    pub connections: u32,
    /// How long to wait for a connection.
    pub acquire_timeout: Duration,
    /// How long PostgreSQL may take to answer a statement before it counts as away: far above the lock time-out, far
    /// below for ever.
    pub answer_timeout: Duration,
    /// Whether to check a connection before it is used: on Lambda it may have died while frozen.
    pub ping_idle: bool,
}

impl DbConfig {
    /// The usual settings for this address and schema.
    pub fn new(url: impl Into<String>, schema: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: schema.into(),
            connections: 8,
            acquire_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(15),
            ping_idle: false,
        }
    }

    /// Opens the pool. PostgreSQL is not contacted before the first use, so a service starts, and answers
    /// 503, while its database is away.
    pub async fn connect(&self) -> DbResult<Db> {
        if self.url.starts_with("sqlite:") {
            self.sqlite().await
        } else if self.url.starts_with("postgres:") || self.url.starts_with("postgresql:") {
            self.postgres()
        } else {
            Err(DbError::said(Trouble::Fault, "a database address starts with sqlite: or postgres:"))
        }
    }

    async fn sqlite(&self) -> DbResult<Db> {
        let options = SqliteConnectOptions::from_str(&self.url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: an acknowledged commit survives a power cut; NORMAL in WAL mode may lose the last ones.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(256)
            .disable_statement_logging();
        let write = Writer::open(options.clone(), self.acquire_timeout).await?;
        let read = SqlitePoolOptions::new()
            .acquire_timeout(self.acquire_timeout)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .max_connections(self.connections.max(1))
            .connect_lazy_with(options.read_only(true));
        Ok(Db::Sqlite { write, read })
    }

    fn postgres(&self) -> DbResult<Db> {
        let options = PgConnectOptions::from_str(&self.url)?
            .options([("search_path", self.schema.as_str())])
            .application_name(&format!("florin-{}", self.schema))
            .statement_cache_capacity(256)
            .disable_statement_logging();
        Ok(Db::Postgres(Server::new(self, options)))
    }
}
