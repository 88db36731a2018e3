//! Tells a broker that is away from one that cannot be used as configured.

use std::io;
use std::time::Duration;

use florin_queue::port::QueueError;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Error, ErrorKind};
use tokio::time::{Instant, timeout_at};

/// Whether waiting does not help: a login or a right that is refused, a virtual host that is not there, a queue
/// or exchange that exists with other properties.
pub(crate) fn is_configuration(error: &Error) -> bool {
    let ErrorKind::ProtocolError(error) = error.kind() else { return false };
    matches!(
        error.kind(),
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED | AMQPSoftError::PRECONDITIONFAILED)
            | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED)
    )
}

/// Whether something that was named is not there.
pub(crate) fn is_not_found(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error)
        if matches!(error.kind(), AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND)))
}

/// What the broker answers within `limit`; too slow is as good as away, and the error says where.
pub(crate) async fn within<T>(
    limit: Duration,
    what: &'static str,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    before(Instant::now() + limit, what, answer).await
}

/// As [`within`], by an instant.
pub(crate) async fn before<T>(
    deadline: Instant,
    what: &'static str,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match timeout_at(deadline, answer).await {
        Ok(answered) => answered,
        Err(_) => {
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer in time to: {what}")).into())
        }
    }
}

/// What the host is told.
pub(crate) fn queue_error(what: &str, error: &Error) -> QueueError {
    QueueError(format!("RabbitMQ: {what}: {error}"))
}
