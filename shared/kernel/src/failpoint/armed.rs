//! Counting the points, and dying at the one that is armed.
//!
//! The directory holds `hits/POINT`, one byte for every hit; `armed/POINT`, a number of hits; `kills/POINT`, one byte
//! for every death. The processes count together: whoever makes that hit, or is first after it, takes `armed/POINT` away
//! and dies, so that of many processes one dies, and its successor does not.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use futures_util::FutureExt;

/// Long enough for a request on loopback to be with the peer, short enough for it to be at work.
const UNDER_WAY: Duration = Duration::from_millis(3);

/// The directory of control; none where nobody controls this process.
pub fn directory() -> Option<&'static Path> {
    static DIRECTORY: OnceLock<Option<PathBuf>> = OnceLock::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "no deployment has it, so it is no part of the configuration"
    )]
    let read = || std::env::var(super::VARIABLE).ok().map(PathBuf::from);
    DIRECTORY.get_or_init(read).as_deref()
}

/// Counts a hit of this point, and dies here when it is armed and this is its turn.
pub fn hit(point: &str) {
    if is_due(point) {
        die(point);
    }
}

/// Runs a future, counting a hit while it is under way, and dies there when it is this point's turn.
pub async fn during<F: Future>(point: &'static str, future: F) -> F::Output {
    let mut future = pin!(future);
    if let Some(done) = future.as_mut().now_or_never() {
        return done;
    }
    if is_due(point) {
        // Finished earlier or not: the process dies, and nobody hears of it.
        let _ = tokio::time::timeout(UNDER_WAY, future.as_mut()).await;
        die(point);
    }
    future.await
}

/// Whether it is this process's turn to die here.
fn is_due(point: &str) -> bool {
    let Some(directory) = directory() else { return false };
    let hits = count(&directory.join("hits").join(point));
    let armed = directory.join("armed").join(point);
    let Ok(order) = fs::read_to_string(&armed) else { return false };
    let due = order.parse::<u64>().is_ok_and(|wanted| hits >= wanted);
    // Of many processes that are due, the one that takes the order away dies.
    due && fs::remove_file(armed).is_ok()
}

fn die(point: &str) -> ! {
    if let Some(directory) = directory() {
        count(&directory.join("kills").join(point));
    }
    // SIGKILL of our own process: nothing is flushed, closed or dropped.
    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGKILL);
    std::process::abort()
}

/// One byte more, and how many there are: a file that processes append to counts across them, and across their deaths.
fn count(file: &Path) -> u64 {
    let counted = File::options().create(true).append(true).open(file).and_then(|mut file| {
        file.write_all(b".")?;
        file.metadata()
    });
    // A count that is missing shows in the summary; it must not stop what is being watched.
    counted.map_or(0, |metadata| metadata.len())
}
