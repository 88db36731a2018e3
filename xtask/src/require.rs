//! Which parts may be skipped: the reading of `FLORIN_TEST_REQUIRE`.

use florin_servers::{Part, REQUIRE_VARIABLE};

use crate::arguments;

/// What to do about a part that cannot be had.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Require {
    /// The variable is not set: a newcomer is told what to install, before any test runs.
    Everything,
    /// The variable is set: these may not be skipped, all others may.
    Only(Vec<Part>),
}

impl Require {
    /// Reads the environment.
    #[expect(
        clippy::disallowed_methods,
        reason = "xtask is its own host: the environment is read here, once"
    )]
    pub(crate) fn read() -> Result<Require, String> {
        match std::env::var(REQUIRE_VARIABLE) {
            Ok(list) => match arguments::parts(&list) {
                Ok(parts) => Ok(Require::Only(parts)),
                Err(why) => Err(format!("{REQUIRE_VARIABLE}: {why}")),
            },
            Err(_) => Ok(Require::Everything),
        }
    }

    /// Whether the run ends when the part cannot be had. Nobody can install the data of others.
    pub(crate) fn requires(&self, part: Part) -> bool {
        match self {
            Require::Everything => part != Part::Data,
            Require::Only(parts) => parts.contains(&part),
        }
    }
}
