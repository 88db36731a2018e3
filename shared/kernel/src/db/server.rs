//! The connections to PostgreSQL, and what becomes of one whose server no longer answers.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres};
use tokio::time::{Instant, timeout_at};

use super::{DbConfig, DbResult, Wall};

/// How long a connection that nobody uses is good for use. What lies on the way forgets it: load balancers of Azure
/// after four minutes, NAT gateways and Network Load Balancers of AWS after 350 seconds.
const IDLE: Duration = Duration::from_secs(3 * 60);
/// How long a connection is used: a server's process keeps some memory for each thing that it was ever asked.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
/// How long a connection may take to show that it lives, where it is asked before it is used.
const PING: Duration = Duration::from_secs(2);

/// A pool of connections to a server that may vanish without a word: a host that dies, a path that drops packets.
///
/// TCP takes some fifteen minutes to notice (`tcp_retries2`), and sqlx offers neither keep-alives nor a user time-out.
/// So no answer is waited for longer than [`DbConfig::answer_timeout`], and a connection that owes one is closed:
/// a connection to the server's successor gets its place.
#[derive(Clone, Debug)]
pub struct Server {
    pool: PgPool,
    answer_timeout: Duration,
}

impl Server {
    pub(super) fn new(config: &DbConfig, options: PgConnectOptions) -> Self {
        let ping_idle = config.ping_idle;
        let pool = PgPoolOptions::new()
            .max_connections(config.connections.max(1))
            .acquire_timeout(config.acquire_timeout)
            // Not by sqlx's own task, which waits without end for the last word of a TLS connection that it closes.
            .idle_timeout(None)
            .max_lifetime(None)
            // Nor by its own test: it asks those, too, that are too old to be asked.
            .test_before_acquire(false)
            .before_acquire(move |on, about| {
                Box::pin(async move {
                    let is_fresh = about.idle_for < IDLE && about.age < LIFETIME;
                    // A check before each use costs 4 to 10 % of the throughput (measured).
                    if is_fresh && ping_idle {
                        answered(Instant::now() + PING, on.ping()).await?;
                    }
                    Ok(is_fresh)
                })
            })
            .connect_lazy_with(options);
        Self { pool, answer_timeout: config.answer_timeout }
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
        let Self { pool, answer_timeout } = self.clone();
        let begun = tokio::spawn(async move {
            let until = Instant::now() + answer_timeout;
            let mut on = answered(until, pool.acquire()).await?;
            match answered(until, on.execute(text)).await {
                Ok(_) => Ok(ServerTx { on: Some(on), state: State::Open, answer_timeout }),
                Err(error) => {
                    // Nobody knows whether it is inside a transaction.
                    drop(on.detach());
                    Err(error)
                }
            }
        });
        Ok(begun.await.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))??)
    }

    /// Closes every connection, but waits for none that owes an answer.
    pub(super) async fn close(&self) {
        let _ = timeout_at(Instant::now() + self.answer_timeout, self.pool.close()).await;
    }
}

/// One transaction on it. Dropped before it ended, it rolls back.
pub(super) struct ServerTx {
    /// There until it is dropped.
    on: Option<PoolConnection<Postgres>>,
    state: State,
    answer_timeout: Duration,
}

#[derive(Clone, Copy)]
enum State {
    Open,
    Ended,
    /// The server owes an answer.
    Silent,
}

impl ServerTx {
    /// Its connection, and how long that may take to answer.
    pub(super) fn ask(&mut self) -> (Answer<'_>, &mut PgConnection) {
        let Self { on, state, answer_timeout } = self;
        let on = on.as_mut().expect("a transaction has a connection");
        // One that owes an answer is not asked for another.
        let most = if matches!(state, State::Silent) { Duration::ZERO } else { *answer_timeout };
        (Answer { until: Instant::now() + most, state }, on)
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
        self.state = State::Ended;
        Ok(())
    }
}

impl Drop for ServerTx {
    fn drop(&mut self) {
        let Some(mut on) = self.on.take() else { return };
        if matches!(self.state, State::Silent) {
            drop(on.detach());
            return;
        }
        let (is_open, until) = (matches!(self.state, State::Open), Instant::now() + self.answer_timeout);
        tokio::spawn(async move {
            if is_open && answered(until, on.execute("ROLLBACK")).await.is_err() {
                drop(on.detach());
                return;
            }
            // Not by dropping it: sqlx then asks whether it lives and waits for that without end. Who stops waiting
            // for this closes the connection.
            let _ = timeout_at(until, on.return_to_pool()).await;
        });
    }
}

/// How long the server may take to answer a transaction.
pub(super) struct Answer<'t> {
    until: Instant,
    state: &'t mut State,
}

impl Answer<'_> {
    /// A server that vanished without a word is away, and not waited for.
    pub(super) async fn within<T>(self, asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        let Ok(answer) = timeout_at(self.until, asked).await else {
            *self.state = State::Silent;
            return Err(late());
        };
        answer
    }
}

async fn answered<T>(until: Instant, asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout_at(until, asked).await.unwrap_or_else(|_| Err(late()))
}

fn late() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}
