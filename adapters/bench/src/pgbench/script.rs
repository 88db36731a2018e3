//! From transactions in a log to scripts of `pgbench`: same texts, same order, same values, other identifiers.

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, Executor, Row};

use crate::error::{Outcome, Trouble};
use crate::servers::connect;
use crate::statement_log::{Statement, Transaction};

/// How many hexadecimal digits an identifier has behind its prefix.
const DIGITS: usize = 32;

/// Writes scripts for one database, whose schema knows the types of parameters.
struct Writer {
    on: sqlx::PgConnection,
    text: String,
    /// The identifiers of the one payment that the log shows; each run of the script has others in their place.
    ids: Vec<String>,
    prepared: usize,
}

/// One payment's whole way: every transaction that names it or what belongs to it.
pub async fn payment(owner: &str, transactions: &[Transaction]) -> Outcome<String> {
    let mut writer = Writer::new(owner).await?;
    // Counts up within each client, so that identifiers ascend as ours do; `clients` is below 64.
    writer.text.push_str("\\set sequence :sequence + 1\n\\set n :sequence * 64 + :client_id\n");
    for transaction in transactions {
        writer.transaction(transaction).await?;
    }
    Ok(writer.text)
}

/// What a relay does: claim a batch, and mark exactly what was claimed.
pub async fn relay(owner: &str, claim: &Transaction, mark: &Transaction) -> Outcome<String> {
    let mut writer = Writer::new(owner).await?;
    for (transaction, claims) in [(claim, true), (mark, false)] {
        for statement in &transaction.statements {
            if statement.values.is_empty() {
                writer.simple(&statement.text);
            } else if claims {
                let text = writer.inline(statement).await?;
                let _ = writeln!(
                    writer.text,
                    "WITH claimed AS ({text})\nSELECT coalesce(json_agg(id), '[]')::text AS ids FROM claimed\n\\gset"
                );
            } else {
                let mut marking = statement.clone();
                let ids =
                    marking.values.last_mut().ok_or_else(|| Trouble::failed("a mark without identifiers"))?;
                *ids = Some(IDS.to_owned());
                let text = writer.inline(&marking).await?;
                let text = text.replace(&format!("'{IDS}'"), ":ids");
                let _ = writeln!(writer.text, "{text};");
            }
        }
    }
    Ok(writer.text)
}

const IDS: &str = "the identifiers of the batch";

/// A transaction that belongs to no payment.
pub async fn rest(owner: &str, transaction: &Transaction) -> Outcome<String> {
    let mut writer = Writer::new(owner).await?;
    writer.transaction(transaction).await?;
    Ok(writer.text)
}

impl Writer {
    async fn new(owner: &str) -> Outcome<Self> {
        let mut on = connect(owner).await?;
        on.execute("SET search_path = payments").await?;
        Ok(Self { on, text: String::new(), ids: Vec::new(), prepared: 0 })
    }

    async fn transaction(&mut self, transaction: &Transaction) -> Outcome<()> {
        for statement in &transaction.statements {
            if statement.values.is_empty() {
                self.simple(&statement.text);
            } else {
                let text = self.inline(statement).await?;
                let _ = writeln!(self.text, "{text};");
            }
        }
        Ok(())
    }

    /// A message of the simple protocol. Several statements travel together, as they did.
    fn simple(&mut self, text: &str) {
        let statements: Vec<&str> = text.split(';').map(str::trim).filter(|one| !one.is_empty()).collect();
        let together = statements.len() > 1;
        if together {
            self.text.push_str("\\startpipeline\n");
        }
        for statement in statements {
            let _ = writeln!(self.text, "{statement};");
        }
        if together {
            self.text.push_str("\\endpipeline\n");
        }
    }

    /// The text with its values in it.
    async fn inline(&mut self, statement: &Statement) -> Outcome<String> {
        let types = self.types(&statement.text).await?;
        let mut text = statement.text.clone();
        for (index, value) in statement.values.iter().enumerate().rev() {
            let kind = types.get(index).map_or("text", String::as_str);
            let value = match value {
                None => "NULL".to_owned(),
                Some(value) => self.expression(value, kind),
            };
            // From the last to the first, so that $1 does not match within $10.
            text = text.replace(&format!("${}", index + 1), &value);
        }
        Ok(text)
    }

    /// The types that the server infers for the parameters.
    async fn types(&mut self, text: &str) -> Outcome<Vec<String>> {
        self.prepared += 1;
        let name = format!("seen_{}", self.prepared);
        self.on.execute(AssertSqlSafe(format!("PREPARE {name} AS {text}"))).await?;
        let row = sqlx::query("SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = $1")
            .bind(&name)
            .fetch_one(&mut self.on)
            .await?;
        Ok(row.get(0))
    }

    /// A value as SQL. Where it holds identifiers, those of this run of the script stand in their place.
    fn expression(&mut self, value: &str, kind: &str) -> String {
        let mut parts = Vec::new();
        let mut rest = value;
        while let Some((before, id, after)) = next_id(rest) {
            if !before.is_empty() {
                parts.push(quoted(before));
            }
            parts.push(self.own(id));
            rest = after;
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(quoted(rest));
        }
        match parts.as_slice() {
            [one] if !one.contains(" || ") => format!("{one}::{kind}"),
            _ => format!("({})::{kind}", parts.join(" || ")),
        }
    }

    /// `pay_` and 32 digits that are this run's and this identifier's own.
    fn own(&mut self, id: &str) -> String {
        let (prefix, _) = id.split_at(id.len() - DIGITS);
        let index = self.ids.iter().position(|known| known == id).unwrap_or_else(|| {
            self.ids.push(id.to_owned());
            self.ids.len() - 1
        });
        format!("'{prefix}' || lpad(to_hex(:n::bigint), 30, '0') || '{index:02x}'")
    }
}

/// A literal. pgbench takes a colon before a letter for a variable of its own even within quotes, so that colon is
/// written as an escape.
fn quoted(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    let mut escaped = String::with_capacity(doubled.len());
    let mut letters = doubled.chars().peekable();
    let mut is_escaped = false;
    while let Some(letter) = letters.next() {
        let is_variable = letter == ':' && letters.peek().is_some_and(|c| c.is_alphabetic() || *c == '_');
        match letter {
            _ if is_variable => escaped.push_str("\\x3a"),
            '\\' => escaped.push_str("\\\\"),
            other => escaped.push(other),
        }
        is_escaped |= is_variable;
    }
    if is_escaped { format!("E'{escaped}'") } else { format!("'{doubled}'") }
}

/// The next `abc_` with 32 hexadecimal digits, and what stands before and after it.
pub fn next_id(text: &str) -> Option<(&str, &str, &str)> {
    for (underscore, _) in text.match_indices('_') {
        let end = underscore + 1 + DIGITS;
        let Some(digits) = text.get(underscore + 1..end) else { continue };
        let fits = digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            && !text[end..].starts_with(|c: char| c.is_ascii_hexdigit());
        let start = text[..underscore].rfind(|c: char| !c.is_ascii_lowercase()).map_or(0, |at| at + 1);
        if fits && start < underscore {
            return Some((&text[..start], &text[start..end], &text[end..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_colon_in_a_literal_is_a_variable_of_pgbench() {
        assert_eq!(quoted("12:30 it's"), "'12:30 it''s'");
        assert_eq!(quoted(r#"{"a":null,"b":"\n"}"#), r#"E'{"a"\x3anull,"b":"\\n"}'"#);
    }

    #[test]
    fn identifiers_are_found_where_they_stand() {
        let id = "pay_0123456789abcdef0123456789abcdef";
        let within = format!(r#"{{"id":"{id}","x":1}}"#);
        assert_eq!(next_id(&within), Some((r#"{"id":""#, id, r#"","x":1}"#)));
        assert_eq!(next_id("pm_card_visa"), None);
        assert_eq!(next_id(&format!("{id}0")), None);
    }
}
