//! Why a task could not be done.

use std::fmt;

use florin_servers::StartError;

/// What keeps a task from being done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Something is not installed, with the words that tell how to install it.
    Missing(String),
    /// Something went wrong.
    Failed(String),
    /// The task was called off.
    Interrupted,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Missing(text) | Problem::Failed(text) => f.write_str(text),
            Problem::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Missing(_) => Problem::Missing(error.to_string()),
            StartError::Failed(why) => Problem::Failed(why),
            StartError::Interrupted => Problem::Interrupted,
        }
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Problem::Failed(error.to_string())
    }
}
