//! How a room ends early: a refusal is part of the language, a fault is not.

use std::fmt;
use std::time::Duration;

use crate::db::{DbError, Trouble};
use crate::problem::Problem;

/// Why a room stopped.
#[derive(Debug)]
pub enum Stop {
    /// Said to the caller; the change rolls back, the record of the refusal commits. For a delivery it is Permanent.
    Refused(Problem),
    /// Not yet: an earlier fact is missing. Only deliveries and effects can wait.
    Retry {
        /// When to come again, if the room knows better than the ladder of delays.
        after: Option<Duration>,
        /// What is missing, for the log and the dead letter.
        why: String,
    },
    /// Ours: everything rolls back, it is logged once, the caller hears "internal".
    Fault(Fault),
}

/// A fault with its cause.
#[derive(Debug)]
pub enum Fault {
    /// The database said no where it should not, or is away.
    Database(DbError),
    /// A panic in a room. Whoever installed the panic hook has logged it, where it happened.
    Panic(String),
    /// Anything else.
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl Fault {
    /// What the database's trouble is, when it is the database's.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Database(error) => Some(error.trouble()),
            Self::Panic(_) | Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => write!(f, "database: {error}"),
            Self::Panic(text) => write!(f, "panicked: {text}"),
            Self::Other(error) => write!(f, "{error}"),
        }
    }
}

impl Stop {
    /// A fault of our own words: something that cannot be, and is.
    pub fn fault(what: impl Into<String>) -> Self {
        Self::Fault(Fault::Other(what.into().into()))
    }

    /// Why, in words for the log and for rows.
    pub(crate) fn said(self) -> String {
        match self {
            Self::Retry { why, .. } => why,
            Self::Refused(problem) => format!("{}: {}", problem.code.code, problem.detail),
            Self::Fault(fault) => fault.to_string(),
        }
    }

    /// An earlier fact is missing: come again.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry { after: None, why: why.into() }
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        Self::Fault(Fault::Database(error))
    }
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Self {
        Self::Fault(Fault::Other(error.into()))
    }
}

impl From<crate::money::MoneyError> for Stop {
    fn from(error: crate::money::MoneyError) -> Self {
        Self::Fault(Fault::Other(error.into()))
    }
}
