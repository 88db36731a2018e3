//! The directory by which the processes under test are controlled: points, clock, deliveries
//! (`florin_kernel::failpoint`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The control of one run.
pub(crate) struct Control {
    directory: PathBuf,
    ahead: Mutex<Duration>,
}

impl Control {
    /// A new directory of control, with nothing armed and the clock as it is.
    pub(crate) fn new(directory: PathBuf) -> Self {
        for part in ["armed", "hits", "kills"] {
            fs::create_dir_all(directory.join(part)).expect("a directory");
        }
        let control = Self { directory, ahead: Mutex::new(Duration::ZERO) };
        control.advance(Duration::ZERO);
        control
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The process that makes the `k`-th hit of this point from now on dies there.
    pub(crate) fn arm(&self, point: &str, k: u64) {
        let so_far = self.hits().get(point).copied().unwrap_or(0);
        self.write(&format!("armed/{point}"), &(so_far + k).to_string());
    }

    /// Takes back what nobody died of; how many orders these were.
    pub(crate) fn disarm(&self) -> usize {
        let armed = fs::read_dir(self.directory.join("armed")).expect("the directory of control");
        // One that somebody dies of at this moment is gone, and done.
        armed.flatten().filter(|order| fs::remove_file(order.path()).is_ok()).count()
    }

    /// Moves the clock of every process.
    pub(crate) fn advance(&self, by: Duration) {
        let mut ahead = self.ahead.lock().expect("nobody panics here");
        *ahead += by;
        self.write("clock", &ahead.as_micros().to_string());
    }

    /// By how much the clock of the processes is ahead.
    pub(crate) fn ahead(&self) -> Duration {
        *self.ahead.lock().expect("nobody panics here")
    }

    /// From now on so many of a hundred events are published twice, and a batch waits up to so many milliseconds.
    pub(crate) fn deliveries(&self, twice_percent: u64, late_ms: u64) {
        self.write("deliveries", &format!("{twice_percent} {late_ms}"));
    }

    /// How often each point was passed.
    pub(crate) fn hits(&self) -> BTreeMap<String, u64> {
        self.counts("hits")
    }

    /// How often a process died at each point.
    pub(crate) fn kills(&self) -> BTreeMap<String, u64> {
        self.counts("kills")
    }

    fn counts(&self, of: &str) -> BTreeMap<String, u64> {
        let files = fs::read_dir(self.directory.join(of)).expect("the directory of control");
        files
            .flatten()
            .map(|file| {
                let length = file.metadata().map_or(0, |metadata| metadata.len());
                (file.file_name().to_string_lossy().into_owned(), length)
            })
            .collect()
    }

    /// Whole or not at all: processes read while it is written.
    fn write(&self, name: &str, text: &str) {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let new = self.directory.join(format!("new-{}", WRITTEN.fetch_add(1, Ordering::Relaxed)));
        fs::write(&new, text).expect("the directory of control");
        fs::rename(&new, self.directory.join(name)).expect("the directory of control");
    }
}
