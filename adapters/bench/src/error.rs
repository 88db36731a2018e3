//! Why a row has no numbers.

/// What a step of a benchmark comes to.
pub type Outcome<T> = Result<T, Trouble>;

/// Why a row has no numbers.
#[derive(Debug)]
pub enum Trouble {
    /// This machine lacks what the row needs.
    Missing(String),
    /// It went wrong: a number measured now would be of something else.
    Failed(String),
}

impl Trouble {
    /// It went wrong in this way.
    pub fn failed(what: impl Into<String>) -> Self {
        Self::Failed(what.into())
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(what) => write!(f, "{what} is missing"),
            Self::Failed(what) => f.write_str(what),
        }
    }
}

impl<E: std::error::Error> From<E> for Trouble {
    fn from(error: E) -> Self {
        let mut words = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            words.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Self::Failed(words)
    }
}
