//! The one connection of an SQLite file that writes, and a transaction on it.
//!
//! sqlx runs SQLite on a thread of its own, and each way there and back costs about as much as an insert. So what
//! needs no answer of its own (BEGIN, SAVEPOINT, [`Query::later`](super::Query::later)) waits and goes along with the
//! next statement that does, or with COMMIT.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Either, Executor};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Whoever writes takes turns here, in the order of asking.
#[derive(Clone, Debug)]
pub struct Writer {
    place: Arc<Mutex<Place>>,
    options: Arc<SqliteConnectOptions>,
    patience: Duration,
}

#[derive(Debug)]
struct Place {
    connection: Option<SqliteConnection>,
    /// Whether a transaction may be open: whoever left it did not see its end.
    open: bool,
    closed: bool,
}

impl Writer {
    /// Opens the connection. `patience` is how long one waits for a turn.
    pub(super) async fn open(options: SqliteConnectOptions, patience: Duration) -> sqlx::Result<Self> {
        let connection = Some(options.connect().await?);
        let place = Place { connection, open: false, closed: false };
        Ok(Self { place: Arc::new(Mutex::new(place)), options: Arc::new(options), patience })
    }

    /// The turn to write.
    pub(super) async fn turn(&self) -> sqlx::Result<Turn> {
        let waiting = tokio::time::timeout(self.patience, Arc::clone(&self.place).lock_owned());
        let mut turn = Turn(waiting.await.map_err(|_| sqlx::Error::PoolTimedOut)?);
        if turn.0.closed {
            return Err(sqlx::Error::PoolClosed);
        }
        if turn.0.open {
            turn.roll_back().await;
        }
        if turn.0.connection.is_none() {
            turn.0.connection = Some(self.options.connect().await?);
        }
        Ok(turn)
    }

    /// Closes the connection, after whoever has the turn.
    pub(super) async fn close(&self) {
        let mut place = self.place.lock().await;
        place.closed = true;
        if let Some(connection) = place.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(error.message = %error, "the database was not closed in an orderly way");
        }
    }
}

/// One's turn.
pub(super) struct Turn(OwnedMutexGuard<Place>);

impl Turn {
    pub(super) fn connection(&mut self) -> sqlx::Result<&mut SqliteConnection> {
        self.0.connection.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Ends a transaction that may be open. When that fails, whoever comes next opens another connection.
    async fn roll_back(&mut self) {
        if let Some(connection) = &mut self.0.connection {
            match connection.execute("ROLLBACK").await {
                // "cannot rollback - no transaction is active": it ended, and nobody saw that.
                Ok(_) | Err(sqlx::Error::Database(_)) => {}
                Err(error) => {
                    tracing::warn!(error.message = %error, "the database is opened again");
                    self.0.connection = None;
                }
            }
        }
        self.0.open = false;
    }
}

/// Takes the write lock at once: a deferred transaction that reads and then writes fails with SQLITE_BUSY_SNAPSHOT,
/// which no busy timeout helps.
const BEGIN: &str = "BEGIN IMMEDIATE;";

/// A value that is bound when its statement is sent.
pub(super) type Value = Box<dyn FnOnce(&mut SqliteArguments) -> Result<(), BoxDynError> + Send>;

/// A transaction that may write. Dropped without [`WriteTx::commit`], it rolls back before the next turn.
pub(super) struct WriteTx {
    turn: Option<Turn>,
    /// What goes along with the next statement.
    text: String,
    values: Vec<Value>,
    /// Where the savepoint is in what waits, while it does.
    savepoint: Option<(usize, usize)>,
}

impl WriteTx {
    /// Begins with the first statement, which takes the write lock at once.
    pub(super) fn begin(turn: Turn) -> Self {
        Self { turn: Some(turn), text: BEGIN.to_owned(), values: Vec::new(), savepoint: None }
    }

    /// Has a statement go along with the next one; nobody hears how many rows it changed.
    pub(super) fn later(&mut self, text: &str, values: Vec<Value>) {
        self.join(text, values);
        self.text.push(';');
    }

    /// Makes what was done so far the point to return to.
    pub(super) fn savepoint(&mut self) {
        self.savepoint = Some((self.text.len(), self.values.len()));
        self.later("SAVEPOINT room", Vec::new());
    }

    /// Undoes all since the savepoint.
    pub(super) async fn back_to_savepoint(&mut self) -> sqlx::Result<()> {
        // What waits came after it, unless it waits itself.
        let (text, values) = self.savepoint.unwrap_or((0, 0));
        self.text.truncate(text);
        self.values.truncate(values);
        if self.savepoint.is_some() {
            self.savepoint();
            return Ok(());
        }
        self.send("ROLLBACK TO SAVEPOINT room", Vec::new()).await.map(drop)
    }

    /// Sends a statement behind all that waits: how many rows it changed, and its rows.
    pub(super) async fn send(
        &mut self,
        text: &str,
        values: Vec<Value>,
    ) -> sqlx::Result<(u64, Vec<SqliteRow>)> {
        self.join(text, values);
        self.savepoint = None;
        let text = std::mem::take(&mut self.text);
        let mut arguments = SqliteArguments::default();
        for value in std::mem::take(&mut self.values) {
            value(&mut arguments).map_err(sqlx::Error::Encode)?;
        }
        let turn = self.turn.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        // From now on somebody has to end it, whatever becomes of this future.
        turn.0.open = true;
        let query = sqlx::query_with(AssertSqlSafe(text), arguments);
        let mut results = turn.connection()?.fetch_many(query);
        let (mut changed, mut rows) = (0, Vec::new());
        while let Some(result) = results.try_next().await? {
            match result {
                Either::Left(done) => changed = done.rows_affected(),
                Either::Right(row) => rows.push(row),
            }
        }
        Ok((changed, rows))
    }

    /// Puts a statement behind all that waits; its `$1` counts on from theirs.
    fn join(&mut self, text: &str, values: Vec<Value>) {
        let before = self.values.len();
        let mut pieces = text.split('$');
        self.text.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = piece.split_at(digits);
            self.text.push('$');
            match number.parse::<usize>() {
                Ok(number) => self.text.push_str(&(number + before).to_string()),
                Err(_) => self.text.push_str(number),
            }
            self.text.push_str(rest);
        }
        self.values.extend(values);
    }

    /// Commits, with all that waits.
    pub(super) async fn commit(mut self) -> sqlx::Result<()> {
        if self.is_untouched() {
            return Ok(());
        }
        self.send("COMMIT", Vec::new()).await?;
        if let Some(turn) = &mut self.turn {
            turn.0.open = false;
        }
        Ok(())
    }

    /// Whether there is nothing to commit: it never began.
    fn is_untouched(&self) -> bool {
        self.text == BEGIN && !self.turn.as_ref().is_some_and(|turn| turn.0.open)
    }

    /// Rolls back now.
    pub(super) async fn roll_back(mut self) {
        if let Some(turn) = self.turn.as_mut().filter(|turn| turn.0.open) {
            turn.roll_back().await;
        }
    }
}

impl Drop for WriteTx {
    fn drop(&mut self) {
        let Some(mut turn) = self.turn.take().filter(|turn| turn.0.open) else { return };
        // Without a runtime the next turn does it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { turn.roll_back().await });
        }
    }
}
