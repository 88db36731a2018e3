//! What an operation really asks of PostgreSQL: read from the server's log while it runs.

use std::collections::HashMap;

use florin_kernel::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Outcome;
use crate::servers::{DurablePostgres, Place};

/// One statement as it was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Its text; several when they came in one message of the simple protocol.
    pub text: String,
    /// The values of `$1`, `$2` ...; none for the simple protocol.
    pub values: Vec<Option<String>>,
}

/// One transaction of one connection, BEGIN and COMMIT or ROLLBACK included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Its statements in order.
    pub statements: Vec<Statement>,
}

impl Transaction {
    /// Whether it committed.
    pub fn committed(&self) -> bool {
        self.statements.last().is_some_and(|last| last.text.starts_with("COMMIT"))
    }

    /// Whether a statement has this text in it.
    pub fn says(&self, text: &str) -> bool {
        self.statements.iter().any(|statement| statement.text.contains(text))
    }

    /// Whether a value is exactly this.
    pub fn names(&self, wanted: &str) -> bool {
        self.values().any(|value| value == wanted)
    }

    /// Every value that is not null.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().flat_map(|statement| &statement.values).filter_map(Option::as_deref)
    }
}

/// The transactions that a database ran while something was done, in the order in which they began.
pub async fn transactions_of<T>(
    server: &DurablePostgres,
    place: &Place,
    doing: impl Future<Output = Outcome<T>>,
) -> Outcome<(T, Vec<Transaction>)> {
    server.log_statements(true).await?;
    let start = server.log_length().await?;
    let done = doing.await;
    // The log's collector writes after the statement was answered.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let log = server.log_from(start).await?;
    server.log_statements(false).await?;
    Ok((done?, read(&log, &place.name)))
}

#[derive(Deserialize)]
struct Line {
    dbname: Option<String>,
    pid: Option<i64>,
    message: Option<String>,
    detail: Option<String>,
}

/// How what sqlx asks about a type begins that it knows by name, once in the life of a connection: no part of an operation.
const TYPE_LOOKUP: &str = "SELECT pg_type.oid,";

/// The transactions in a `jsonlog` (PostgreSQL 15, section 20.8.3). Lines that are cut at either end are left out.
fn read(log: &str, database: &str) -> Vec<Transaction> {
    let mut all: Vec<(bool, Transaction)> = Vec::new();
    let mut open: HashMap<i64, usize> = HashMap::new();
    for line in log.lines() {
        let Ok(line) = serde_json::from_str::<Line>(line) else { continue };
        let (Some(pid), Some(message)) = (line.pid, line.message) else { continue };
        if line.dbname.as_deref() != Some(database) {
            continue;
        }
        let Some(statement) = statement(&message, line.detail.as_deref()) else { continue };
        if statement.text.starts_with(TYPE_LOOKUP) {
            continue;
        }
        let text = statement.text.clone();
        if text.starts_with("BEGIN") {
            open.insert(pid, all.len());
            all.push((false, Transaction { statements: Vec::new() }));
        }
        let Some(index) = open.get(&pid).copied() else { continue };
        all[index].1.statements.push(statement);
        if text.starts_with("COMMIT") || text == "ROLLBACK" {
            all[index].0 = true;
            open.remove(&pid);
        }
    }
    all.into_iter().filter(|(ended, _)| *ended).map(|(_, transaction)| transaction).collect()
}

/// `statement: TEXT`, or `execute NAME: TEXT` with `parameters: $1 = 'a', $2 = NULL` as its detail.
fn statement(message: &str, detail: Option<&str>) -> Option<Statement> {
    if let Some(text) = message.strip_prefix("statement: ") {
        return Some(Statement { text: text.trim().to_owned(), values: Vec::new() });
    }
    let (_, text) = message.strip_prefix("execute ")?.split_once(": ")?;
    let values = detail.map(parameters).unwrap_or_default();
    Some(Statement { text: text.trim().to_owned(), values })
}

/// An instant as PostgreSQL writes it in a session whose time zone is UTC: `2026-01-31 12:00:00.5+00`.
pub fn instant(text: &str) -> Option<Timestamp> {
    let utc = text.strip_suffix("+00")?;
    format!("{}Z", utc.replacen(' ', "T", 1)).parse().ok()
}

fn parameters(detail: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = detail.split_once(": ").map_or("", |(_, rest)| rest);
    while let Some((_, after)) = rest.split_once(" = ") {
        let Some(quoted) = after.strip_prefix('\'') else {
            values.push(None);
            rest = after;
            continue;
        };
        let mut value = String::new();
        let mut letters = quoted.char_indices();
        let mut end = quoted.len();
        while let Some((at, letter)) = letters.next() {
            if letter != '\'' {
                value.push(letter);
            } else if quoted[at + 1..].starts_with('\'') {
                value.push('\'');
                letters.next();
            } else {
                end = at + 1;
                break;
            }
        }
        values.push(Some(value));
        rest = &quoted[end..];
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_with_their_quotes_and_nulls() {
        let detail = "parameters: $1 = 'a = ''b'', c', $2 = NULL, $3 = '', $4 = '$1 = ''x'''";
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(parameters(detail), [text("a = 'b', c"), None, text(""), text("$1 = 'x'")]);
    }

    #[test]
    fn transactions_are_told_apart_by_connection_and_database_without_what_sqlx_asks_for_itself() {
        let line = |database: &str, pid: u8, message: &str| {
            serde_json::json!({ "dbname": database, "pid": pid, "message": message }).to_string()
        };
        let log = [
            line("ours", 1, "statement: BEGIN; SET LOCAL x = 1"),
            line("other", 3, "statement: BEGIN"),
            line("ours", 2, "statement: BEGIN"),
            line("ours", 1, "execute <unnamed>: SELECT pg_type.oid,\npg_type.oid::regtype::text pretty_name"),
            line("ours", 1, "execute sqlx_s_1: SELECT 1"),
            line("ours", 2, "execute sqlx_s_1: SELECT 2"),
            line("ours", 2, "statement: COMMIT"),
            line("ours", 1, "statement: ROLLBACK"),
            line("ours", 1, "statement: BEGIN"),
        ];
        let read = read(&log.join("\n"), "ours");
        let texts: Vec<Vec<&str>> =
            read.iter().map(|t| t.statements.iter().map(|s| s.text.as_str()).collect()).collect();
        assert_eq!(
            texts,
            [vec!["BEGIN; SET LOCAL x = 1", "SELECT 1", "ROLLBACK"], vec!["BEGIN", "SELECT 2", "COMMIT"]]
        );
        assert!(read[1].committed() && !read[0].committed());
    }
}
