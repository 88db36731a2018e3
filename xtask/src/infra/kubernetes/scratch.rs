//! A directory for what a check writes, gone when the check is over.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::problem::Problem;

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// The directory.
pub(in crate::infra) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes it.
    pub(in crate::infra) fn make() -> Result<Self, Problem> {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("florin-infra-{}-{number}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self { path })
    }

    /// Where it is.
    pub(in crate::infra) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file in it.
    pub(in crate::infra) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Problem> {
        let path = self.path.join(name);
        fs::write(&path, text)?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays in a directory for temporary files does no harm.
        let _ = fs::remove_dir_all(&self.path);
    }
}
