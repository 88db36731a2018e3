//! The connections to PostgreSQL, and what becomes of one whose server no longer answers.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, PgConnection, Postgres};

use super::{DbConfig, DbResult, Wall};

/// A pool of connections to a server that may vanish without a word: a host that dies, a path that drops packets.
///
/// TCP takes some fifteen minutes to notice (`tcp_retries2`), and sqlx offers neither keep-alives nor a user time-out.
/// So no answer is waited for longer than [`DbConfig::answer_timeout`], and a connection that owes one is closed:
/// a connection to the server's successor gets its place.
#[derive(Clone, Debug)]
pub struct Server {
    pool: PgPool,
    answer: Answer,
}

impl Server {
    pub(super) fn new(config: &DbConfig, options: PgConnectOptions) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(config.connections.max(1))
            .acquire_timeout(config.acquire_timeout)
            // A check before each use costs 4 to 10 % of the throughput (measured).
            .test_before_acquire(config.ping_idle)
            .connect_lazy_with(options);
        Self { pool, answer: Answer(config.answer_timeout) }
    }

    /// The pool itself, to count its connections. One that is taken from here is to be detached: what the pool asks
    /// of a connection that comes back has no time-out.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) async fn begin(&self, begin: &str, wall: Wall<'_>) -> DbResult<ServerTx> {
        // One round trip. A tenant's alphabet has no quote, so it stands in the text as it is.
        let set = match wall {
            Wall::Tenant(tenant) => {
                format!("SET LOCAL ROLE florin_app; SET LOCAL app.tenant = '{tenant}'")
            }
            Wall::System => "SET LOCAL ROLE florin_system; SET LOCAL app.tenant = ''".to_owned(),
        };
        let text = AssertSqlSafe(format!("{begin}; SET LOCAL lock_timeout = '2s'; {set}"));
        // In a task of its own: who gives up half-way must not leave a pooled connection inside a transaction.
        let Self { pool, answer } = self.clone();
        let begun = tokio::spawn(async move {
            let mut on = pool.acquire().await?;
            match answer.within(on.execute(text)).await {
                Ok(_) => Ok(ServerTx { on: Some(on), open: true, answer }),
                Err(error) => {
                    // Nobody knows whether it is inside a transaction.
                    drop(on.detach());
                    Err(error)
                }
            }
        });
        Ok(begun.await.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))??)
    }
}

/// One transaction on it. Dropped before it ended, it rolls back.
pub(super) struct ServerTx {
    /// There until it is dropped.
    on: Option<PoolConnection<Postgres>>,
    open: bool,
    answer: Answer,
}

impl ServerTx {
    /// Its connection, and how long that may take to answer.
    pub(super) fn ask(&mut self) -> (Answer, &mut PgConnection) {
        (self.answer, self.on.as_mut().expect("a transaction has a connection"))
    }

    pub(super) async fn commit(self) -> sqlx::Result<()> {
        self.end("COMMIT").await
    }

    pub(super) async fn rollback(self) -> sqlx::Result<()> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, how: &'static str) -> sqlx::Result<()> {
        let (answer, on) = self.ask();
        answer.within(on.execute(how)).await?;
        self.open = false;
        Ok(())
    }
}

impl Drop for ServerTx {
    fn drop(&mut self) {
        let Some(mut on) = self.on.take() else { return };
        let Self { open, answer, .. } = *self;
        tokio::spawn(async move {
            if open && answer.within(on.execute("ROLLBACK")).await.is_err() {
                drop(on.detach());
                return;
            }
            // Not by dropping it: sqlx then asks whether it lives and waits for that without end. Who stops waiting
            // for this closes the connection.
            let _ = tokio::time::timeout(answer.0, on.return_to_pool()).await;
        });
    }
}

/// How long the server may take to answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer(Duration);

impl Answer {
    /// A server that vanished without a word is away, and not waited for.
    pub(super) async fn within<T>(self, asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        tokio::time::timeout(self.0, asked)
            .await
            .unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
    }
}
