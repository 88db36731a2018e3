//! What a database's failure means for the one who asked.

use std::fmt;

/// A result of the database.
pub type DbResult<T> = Result<T, DbError>;

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The database is away, restarting or out of connections: try later, spend no attempt.
    Away,
    /// A serialization failure, a deadlock or SQLite BUSY: run the whole room again.
    Contended,
    /// Another transaction held the row longer than `lock_timeout`.
    Locked,
    /// A unique constraint said no.
    Unique,
    /// A foreign key, check or not-null constraint said no.
    Constraint,
    /// Our own mistake: a wrong statement, a missing bind, a row that does not decode.
    Fault,
}

/// A failure of the database.
#[derive(Debug)]
pub struct DbError {
    trouble: Trouble,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Sqlx(sqlx::Error),
    Said(String),
}

impl DbError {
    /// What to do about it.
    pub fn trouble(&self) -> Trouble {
        self.trouble
    }

    /// A failure of our own words, for example a schema that is too old.
    pub fn said(trouble: Trouble, message: impl Into<String>) -> Self {
        Self { trouble, source: Source::Said(message.into()) }
    }

    pub(super) fn poisoned() -> Self {
        Self::said(
            Trouble::Fault,
            "the transaction already failed: use ON CONFLICT rather than catch an error",
        )
    }

    pub(super) fn bind_count(text: &str, wanted: usize, bound: usize) -> Self {
        Self::said(Trouble::Fault, format!("{wanted} values wanted, {bound} bound: {text}"))
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Sqlx(error) => write!(f, "{error}"),
            Source::Said(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for DbError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.source {
            Source::Sqlx(error) => Some(error),
            Source::Said(_) => None,
        }
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        Self { trouble: trouble_of(&error), source: Source::Sqlx(error) }
    }
}

fn trouble_of(error: &sqlx::Error) -> Trouble {
    use sqlx::error::ErrorKind;
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => Trouble::Away,
        sqlx::Error::Database(db) => match db.kind() {
            ErrorKind::UniqueViolation => Trouble::Unique,
            ErrorKind::ForeignKeyViolation | ErrorKind::NotNullViolation | ErrorKind::CheckViolation => {
                Trouble::Constraint
            }
            _ => code_trouble(db.code().as_deref().unwrap_or_default()),
        },
        _ => Trouble::Fault,
    }
}

/// PostgreSQL SQLSTATEs (Appendix A of its manual) are five characters; SQLite's result codes are numbers.
fn code_trouble(code: &str) -> Trouble {
    match code {
        "40001" | "40P01" => Trouble::Contended,
        "55P03" => Trouble::Locked,
        // Class 08 connection exception, 53 insufficient resources, 57P0x shutdown and cannot_connect_now.
        // A connection that was left inside a read-only transaction, or a writer that was demoted in a failover.
        "25006" | "25P03" => Trouble::Away,
        _ if code.len() == 5
            && (code.starts_with("08") || code.starts_with("53") || code.starts_with("57P")) =>
        {
            Trouble::Away
        }
        // SQLITE_BUSY and its extended codes, SQLITE_LOCKED.
        "5" | "6" | "261" | "262" | "517" | "773" => Trouble::Contended,
        _ => Trouble::Fault,
    }
}

/// Why a COMMIT did not answer "done".
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// It did not commit.
    #[error(transparent)]
    Failed(DbError),
    /// The connection was lost before the answer: it may have committed. Look the operation up.
    #[error("the connection was lost during COMMIT: {0}")]
    Unknown(DbError),
}

impl CommitError {
    /// The database's error, for changes that are safe to make again.
    pub fn into_error(self) -> DbError {
        match self {
            Self::Failed(error) | Self::Unknown(error) => error,
        }
    }
}

impl From<DbError> for CommitError {
    fn from(error: DbError) -> Self {
        match error.trouble() {
            Trouble::Away => Self::Unknown(error),
            _ => Self::Failed(error),
        }
    }
}
