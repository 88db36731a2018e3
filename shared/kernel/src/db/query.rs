//! A statement with its arguments, encoded for the engine it is for.

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Encode, FromRow, Postgres, SqlSafeStr, SqlStr, Sqlite, Type};

use super::writer::Value;
use super::{DbError, DbResult, On, Tx};

/// What can be bound on both databases.
pub trait Bind:
    for<'q> Encode<'q, Sqlite> + Type<Sqlite> + for<'q> Encode<'q, Postgres> + Type<Postgres> + Send + 'static
{
}
impl<T> Bind for T where
    T: for<'q> Encode<'q, Sqlite>
        + Type<Sqlite>
        + for<'q> Encode<'q, Postgres>
        + Type<Postgres>
        + Send
        + 'static
{
}

/// What a row of both databases can become.
pub trait Record: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T> Record for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

/// A statement's text: one for both engines, or the rare pair.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Sql {
    /// The rare statement that must differ.
    pub const fn each(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }
}

impl From<&'static str> for Sql {
    fn from(both: &'static str) -> Self {
        Self { sqlite: both, postgres: both }
    }
}

enum Args {
    /// Bound when they are sent: by then the statement may stand behind others.
    Sqlite(Vec<Value>),
    Postgres(PgArguments),
}

/// A statement under construction, on one transaction.
#[must_use = "a statement does nothing until run, later, first, one or all"]
pub struct Query<'c> {
    tx: &'c mut Tx,
    text: &'static str,
    /// What was added to it, with placeholders of its own.
    tail: String,
    args: Args,
    bad: Option<BoxDynError>,
}

enum Rows {
    Sqlite(Vec<SqliteRow>),
    Postgres(Vec<PgRow>),
}

impl Args {
    fn len(&self) -> usize {
        match self {
            Self::Sqlite(args) => args.len(),
            Self::Postgres(args) => args.len(),
        }
    }
}

impl<'c> Query<'c> {
    pub(super) fn new(tx: &'c mut Tx, sql: Sql) -> Self {
        let (text, args) = if tx.on.is_sqlite() {
            (sql.sqlite, Args::Sqlite(Vec::new()))
        } else {
            (sql.postgres, Args::Postgres(PgArguments::default()))
        };
        Self { tx, text, tail: String::new(), args, bad: None }
    }

    /// Binds the next `$n`.
    pub fn bind<T: Bind>(mut self, value: T) -> Self {
        match &mut self.args {
            Args::Sqlite(args) => {
                args.push(Box::new(move |to: &mut SqliteArguments| Arguments::add(to, value)))
            }
            Args::Postgres(args) => {
                if let Err(error) = args.add(value) {
                    self.bad.get_or_insert(error);
                }
            }
        }
        self
    }

    /// Adds a piece of the statement and the next `$n` behind it, and binds that.
    pub fn then<T: Bind>(mut self, piece: &'static str, value: T) -> Self {
        let next = self.args.len() + 1;
        self.tail.push_str(&format!(" {piece} ${next}"));
        self.bind(value)
    }

    /// Narrows it, where there is something to narrow it to: `and("status =", status)`.
    ///
    /// A condition that may be left out is left out of the text: under `$1 IS NULL OR status = $1` neither database
    /// uses an index, and a page costs as much as its whole table.
    pub fn and<T: Bind>(mut self, condition: &'static str, value: Option<T>) -> Self {
        match value {
            Some(value) => {
                self.tail.push_str(" AND");
                self.then(condition, value)
            }
            None => self,
        }
    }

    /// Runs it and says how many rows it changed.
    pub async fn run(self) -> DbResult<u64> {
        let (tx, text, args) = self.ready()?;
        tx.begun().await?;
        let done = match (&mut tx.on, args) {
            (On::Read(on), Args::Sqlite(args)) => {
                let args = bound(args)?;
                sqlx::query_with(text, args).execute(&mut **on).await.map(|d| d.rows_affected())
            }
            (On::Write(on), Args::Sqlite(args)) => {
                on.send(text.as_str(), args).await.map(|(changed, _)| changed)
            }
            (On::Postgres(on), Args::Postgres(args)) => {
                let (answer, on) = on.ask();
                let asked = answer.within(sqlx::query_with(text, args).execute(on));
                asked.await.map(|d| d.rows_affected())
            }
            _ => unreachable!("the arguments were made for this transaction's engine"),
        };
        done.map_err(|error| tx.poison(error))
    }

    /// Runs it before anything else of its transaction is asked or committed; a failure may show only then. For a
    /// statement whose rows nobody counts: on SQLite it saves a way to the database's thread.
    pub async fn later(self) -> DbResult<()> {
        if !matches!(self.tx.on, On::Write(_)) {
            return self.run().await.map(drop);
        }
        let (tx, text, args) = self.ready()?;
        if let (On::Write(on), Args::Sqlite(args)) = (&mut tx.on, args) {
            on.later(text.as_str(), args);
        }
        Ok(())
    }

    /// All rows.
    pub async fn all<T: Record>(self) -> DbResult<Vec<T>> {
        let rows = match self.rows().await? {
            Rows::Sqlite(rows) => rows.iter().map(T::from_row).collect::<Result<Vec<T>, _>>(),
            Rows::Postgres(rows) => rows.iter().map(T::from_row).collect(),
        };
        Ok(rows?)
    }

    /// The first row, if there is one.
    pub async fn first<T: Record>(self) -> DbResult<Option<T>> {
        Ok(self.all().await?.into_iter().next())
    }

    /// The one row there must be.
    pub async fn one<T: Record>(self) -> DbResult<T> {
        self.first().await?.ok_or_else(|| DbError::from(sqlx::Error::RowNotFound))
    }

    /// Not generic, so it is compiled once.
    async fn rows(self) -> DbResult<Rows> {
        let (tx, text, args) = self.ready()?;
        tx.begun().await?;
        let rows = match (&mut tx.on, args) {
            (On::Read(on), Args::Sqlite(args)) => {
                let args = bound(args)?;
                sqlx::query_with(text, args).fetch_all(&mut **on).await.map(Rows::Sqlite)
            }
            (On::Write(on), Args::Sqlite(args)) => {
                on.send(text.as_str(), args).await.map(|(_, rows)| Rows::Sqlite(rows))
            }
            (On::Postgres(on), Args::Postgres(args)) => {
                let (answer, on) = on.ask();
                let asked = answer.within(sqlx::query_with(text, args).fetch_all(on));
                asked.await.map(Rows::Postgres)
            }
            _ => unreachable!("the arguments were made for this transaction's engine"),
        };
        rows.map_err(|error| tx.poison(error))
    }

    fn ready(self) -> DbResult<(&'c mut Tx, SqlStr, Args)> {
        if self.tx.poisoned {
            return Err(DbError::poisoned());
        }
        if let Some(error) = self.bad {
            return Err(DbError::from(sqlx::Error::Encode(error)));
        }
        let text = match self.tail.as_str() {
            "" => SqlStr::from_static(self.text),
            // Made of pieces that stand in the code.
            tail => AssertSqlSafe(self.text.to_owned() + tail).into_sql_str(),
        };
        let (bound, wanted) = (self.args.len(), placeholders(text.as_str()));
        // PostgreSQL refuses a missing argument; SQLite silently binds NULL.
        if bound != wanted {
            return Err(DbError::bind_count(text.as_str(), wanted, bound));
        }
        Ok((self.tx, text, self.args))
    }
}

fn bound(values: Vec<Value>) -> DbResult<SqliteArguments> {
    let mut args = SqliteArguments::default();
    for value in values {
        value(&mut args).map_err(sqlx::Error::Encode)?;
    }
    Ok(args)
}

impl Tx {
    pub(super) fn poison(&mut self, error: sqlx::Error) -> DbError {
        self.poisoned = true;
        DbError::from(error)
    }
}

/// The highest `$n` of a statement; our statements hold no `$` inside of quotes.
fn placeholders(text: &str) -> usize {
    text.split('$')
        .skip(1)
        .filter_map(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest[..digits].parse().ok()
        })
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::placeholders;

    #[test]
    fn a_statement_wants_as_many_values_as_its_highest_placeholder() {
        assert_eq!(placeholders("SELECT 1"), 0);
        assert_eq!(placeholders("SELECT $2, $1, $2 WHERE a = $10"), 10);
    }
}
