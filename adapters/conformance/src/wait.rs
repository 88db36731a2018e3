//! Waits for what another process does: there is no bell between processes, so it looks again and again.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// Longer than the lease of any effect, on a machine that is building at the same time.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Looks until there is something, at most [`PATIENCE`].
///
/// # Panics
/// When there is nothing in time; `what` says what was missing.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// Waits for what a proxy or a task of the test says, at most [`PATIENCE`].
///
/// # Panics
/// When it is not in time.
pub async fn within<T>(what: &str, coming: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, coming).await {
        Ok(there) => there,
        Err(_) => panic!("not within {PATIENCE:?}: {what}"),
    }
}
