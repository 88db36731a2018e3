//! Servers of a test's own, for tests that stop, crash or restart what they talk to.

pub use florin_servers::{Part, Postgres, RabbitMq, StartError, free_port, skip};

/// A PostgreSQL that only the calling test knows. `None` when it is not installed: the skip is
/// recorded and the test returns.
///
/// # Panics
/// When it is installed and does not start, and when `FLORIN_TEST_REQUIRE` names it and it is not.
pub fn own_postgres() -> Option<Postgres> {
    started_or_skipped(Part::Postgres, Postgres::start())
}

/// A RabbitMQ node that only the calling test knows. `None` when it is not installed: the skip is
/// recorded and the test returns. It takes about six seconds to start: share it within a test.
///
/// # Panics
/// When it is installed and does not start, and when `FLORIN_TEST_REQUIRE` names it and it is not.
pub fn own_rabbitmq() -> Option<RabbitMq> {
    started_or_skipped(Part::RabbitMq, RabbitMq::start())
}

fn started_or_skipped<Server>(part: Part, started: Result<Server, StartError>) -> Option<Server> {
    match started {
        Ok(server) => Some(server),
        Err(StartError::Missing(program)) => {
            skip(part, &format!("{program} is not installed"));
            None
        }
        Err(why) => panic!("{}: {why}", part.name()),
    }
}
