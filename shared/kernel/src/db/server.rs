//! The connections to PostgreSQL, and what becomes of one whose server no longer answers.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres, Transaction};

use super::{DbConfig, DbResult, Wall};

/// A pool of connections to a server that may vanish without a word: a host that dies, a path that drops packets.
///
/// TCP takes some fifteen minutes to notice (`tcp_retries2`), and sqlx offers neither keep-alives nor a user time-out.
/// So no answer is waited for longer than [`DbConfig::answer_timeout`], and a connection that owes one is closed: sqlx
/// asks a connection that comes back to the pool whether it lives, waits for that without end, and a connection to the
/// server's successor would not get the place.
#[derive(Clone, Debug)]
pub struct Server {
    pool: PgPool,
    answer: Answer,
    late: Arc<Late>,
}

/// One transaction on it.
pub(super) struct ServerTx {
    on: Transaction<'static, Postgres>,
    answer: Answer,
}

impl Server {
    pub(super) fn new(config: &DbConfig, options: PgConnectOptions) -> Self {
        let answer = Answer(config.answer_timeout);
        let late = Arc::new(Late::default());
        let suspected = Arc::clone(&late);
        let pool = PgPoolOptions::new()
            .max_connections(config.connections.max(1))
            .acquire_timeout(config.acquire_timeout)
            // A check before each use costs 4 to 10 % of the throughput (measured).
            .test_before_acquire(config.ping_idle)
            .after_release(move |on, _| {
                let suspected = Arc::clone(&suspected);
                Box::pin(async move { may_stay(on, &suspected, answer).await.map(|()| true) })
            })
            .connect_lazy_with(options);
        Self { pool, answer, late }
    }

    /// The pool itself: to migrate with, and to count its connections.
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
        let text = format!("{begin}; SET LOCAL lock_timeout = '2s'; {set}");
        // In a task of its own: a BEGIN that is dropped half-way leaves a pooled connection inside a transaction
        // that nobody knows of (sqlx counts it only after the answer).
        let Self { pool, answer, late } = self.clone();
        let begun = tokio::spawn(async move {
            // Said before the connection goes back, and so before anybody asks whether it may stay.
            let is_late = || {
                late.count.fetch_add(1, Ordering::Relaxed);
            };
            answer.or(pool.begin_with(AssertSqlSafe(text)), is_late).await
        });
        let on = begun.await.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))??;
        Ok(ServerTx { on, answer })
    }
}

/// Whether a connection that comes back owes no answer, or gives it now.
async fn may_stay(on: &mut PgConnection, late: &Late, answer: Answer) -> sqlx::Result<()> {
    // What was dropped half-way has its ROLLBACK waiting here to be sent; of a transaction that did not even begin
    // a connection shows no sign.
    let so_far = late.count.load(Ordering::Relaxed);
    if on.should_flush() || so_far > late.answered.load(Ordering::Relaxed) {
        answer.within(on.ping()).await?;
        // And no later one: a connection that answered says nothing of what was asked after it.
        late.answered.fetch_max(so_far, Ordering::Relaxed);
    }
    Ok(())
}

/// The transactions that did not begin in time.
#[derive(Debug, Default)]
struct Late {
    count: AtomicU64,
    /// How many of them there were when a connection last answered.
    answered: AtomicU64,
}

impl ServerTx {
    /// Its connection, and how long that may take to answer.
    pub(super) fn ask(&mut self) -> (Answer, &mut PgConnection) {
        (self.answer, &mut self.on)
    }

    pub(super) async fn commit(self) -> sqlx::Result<()> {
        self.answer.within(self.on.commit()).await
    }

    pub(super) async fn rollback(self) -> sqlx::Result<()> {
        self.answer.within(self.on.rollback()).await
    }
}

/// How long the server may take to answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer(Duration);

impl Answer {
    /// A server that vanished without a word is away, and not waited for.
    pub(super) async fn within<T>(self, asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        self.or(asked, || {}).await
    }

    /// As [`Answer::within`]; `late` is done before what was asked is dropped.
    async fn or<T>(
        self,
        asked: impl Future<Output = sqlx::Result<T>>,
        late: impl FnOnce(),
    ) -> sqlx::Result<T> {
        let mut asked = pin!(asked);
        match tokio::time::timeout(self.0, asked.as_mut()).await {
            Ok(answered) => answered,
            Err(_) => {
                late();
                Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
            }
        }
    }
}
