//! Ctrl-C and SIGTERM end the run in order: children first, then the servers, then we.

use std::sync::OnceLock;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::{command, report};

static CAUGHT: OnceLock<i32> = OnceLock::new();

/// Watches from now on.
pub(crate) fn watch() -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if CAUGHT.set(signal).is_ok() {
                report::line("stopping what was started");
                command::call_off();
            }
        }
    });
    Ok(())
}

/// The number of the first signal that came.
pub(crate) fn caught() -> Option<i32> {
    CAUGHT.get().copied()
}

/// Waits for it.
pub(crate) fn wait() {
    CAUGHT.wait();
}
