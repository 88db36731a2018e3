//! Why a server is not there: not installed, did not start, or the person changed their mind.

use std::fmt;

/// Why a server could not be started.
#[derive(Debug)]
pub enum StartError {
    /// A program is not installed on this machine; the text names it.
    Missing(String),
    /// It is installed and did not come up; the text says why, with the end of its log.
    Failed(String),
    /// [`interrupt`](crate::interrupt) was called while it was coming up.
    Interrupted,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Missing(program) => write!(f, "{program} is not installed"),
            StartError::Failed(why) => f.write_str(why),
            StartError::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<std::io::Error> for StartError {
    fn from(error: std::io::Error) -> Self {
        StartError::Failed(error.to_string())
    }
}
