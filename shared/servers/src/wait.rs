//! Waits until something is true, and stops waiting when the person pressed Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::StartError;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Ends every wait of this crate with [`StartError::Interrupted`], now and from now on.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::SeqCst);
}

/// Whether [`interrupt`] was called.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Asks `ready` again and again until it says yes. `Ok(false)` when `limit` has passed.
pub(crate) fn until(
    limit: Duration,
    mut ready: impl FnMut() -> Result<bool, StartError>,
) -> Result<bool, StartError> {
    let started = Instant::now();
    loop {
        if ready()? {
            return Ok(true);
        }
        if interrupted() {
            return Err(StartError::Interrupted);
        }
        if started.elapsed() > limit {
            return Ok(false);
        }
        pause();
    }
}

/// Whether `gone` becomes true before `limit` has passed. Stopping goes on after an interruption.
pub(crate) fn gone_within(limit: Duration, mut gone: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !gone() {
        if started.elapsed() > limit {
            return false;
        }
        pause();
    }
    true
}

#[expect(
    clippy::disallowed_methods,
    reason = "another program's start has no event to wait for: this is the poll"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}
