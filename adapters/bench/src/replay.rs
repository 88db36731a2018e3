//! A logged transaction that can be run again and again, each time with identifiers of its own.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Outcome;
use crate::statement_log::Transaction;

/// A number that comes once in this process.
pub fn number() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// The statements between BEGIN and COMMIT.
pub struct Replay {
    steps: Vec<Step>,
}

/// One statement.
pub struct Step {
    /// Its text, for as long as the process runs: that is what our database layer takes.
    pub text: &'static str,
    values: Vec<Template>,
}

/// A value to bind.
pub enum Value {
    /// NULL.
    Null,
    /// Text; SQLite makes a number of it where the column is one.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

enum Template {
    Null,
    Bytes(Vec<u8>),
    /// Text with the prefix and position of an identifier behind each piece but the last.
    Text {
        pieces: Vec<(String, String, usize)>,
        end: String,
    },
}

impl Replay {
    /// Of a transaction as the log shows it.
    pub fn of(seen: &Transaction) -> Outcome<Self> {
        let mut ids = Vec::new();
        let mut steps = Vec::new();
        for statement in &seen.statements {
            let text = statement.text.as_str();
            if text.starts_with("BEGIN") || text.starts_with("COMMIT") {
                continue;
            }
            let values = statement.values.iter().map(|value| match value {
                None => Ok(Template::Null),
                Some(value) => Template::of(value, &mut ids),
            });
            let values = values.collect::<Outcome<_>>()?;
            steps.push(Step { text: String::leak(text.to_owned()), values });
        }
        Ok(Self { steps })
    }

    /// The statements in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many statements there are.
    pub fn statements(&self) -> usize {
        self.steps.len()
    }
}

impl Step {
    /// The values of the run with this number.
    pub fn values(&self, number: u64) -> Vec<Value> {
        let of = |template: &Template| match template {
            Template::Null => Value::Null,
            Template::Bytes(bytes) => Value::Bytes(bytes.clone()),
            Template::Text { pieces, end } => {
                let mut text = String::new();
                for (before, prefix, index) in pieces {
                    text.push_str(before);
                    text.push_str(&format!("{prefix}{number:030x}{index:02x}"));
                }
                text.push_str(end);
                Value::Text(text)
            }
        };
        self.values.iter().map(of).collect()
    }
}

impl Template {
    fn of(value: &str, ids: &mut Vec<String>) -> Outcome<Self> {
        if let Some(digits) = value.strip_prefix("\\x") {
            let pairs = digits.as_bytes().chunks(2);
            let bytes = pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?));
            return Ok(Self::Bytes(bytes.collect::<Outcome<_>>()?));
        }
        let (mut pieces, mut rest) = (Vec::new(), value);
        while let Some((before, id, after)) = crate::pgbench::next_id(rest) {
            let index = ids.iter().position(|known| known == id).unwrap_or_else(|| {
                ids.push(id.to_owned());
                ids.len() - 1
            });
            let (prefix, _) = id.split_at(id.len() - 32);
            pieces.push((before.to_owned(), prefix.to_owned(), index));
            rest = after;
        }
        Ok(Self::Text { pieces, end: rest.to_owned() })
    }
}
