//! One serving process per data directory: a lock that ends with the process, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use crate::port::QueueError;

/// The file that is locked, in the data directory. It stays there; only its lock means something.
const FILE: &str = "serve.lock";

/// Held by the process that serves a data directory. Commands that join it take none.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

impl ServeLock {
    /// Takes the directory's lock, making the directory where there is none.
    ///
    /// # Errors
    /// Another process serves the directory, or the directory cannot be used.
    pub fn take(data_directory: &Path) -> Result<Self, QueueError> {
        let path = data_directory.join(FILE);
        let unusable = |error: std::io::Error| {
            QueueError(format!("the lock {} cannot be taken: {error}", path.display()))
        };
        std::fs::create_dir_all(data_directory).map_err(unusable)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            // The other's number is still to be read when the lock is not ours.
            .truncate(false)
            .open(&path)
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(served_by_another(data_directory, &mut file)),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        file.set_len(0).map_err(unusable)?;
        writeln!(file, "{}", std::process::id()).map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

fn served_by_another(data_directory: &Path, file: &mut File) -> QueueError {
    let mut text = String::new();
    // Where a lock also keeps readers out (Windows), the number stays unknown.
    let process = match file.read_to_string(&mut text).map(|_| text.trim().parse::<u32>()) {
        Ok(Ok(id)) => format!(" (process {id})"),
        Ok(Err(_)) | Err(_) => String::new(),
    };
    QueueError(format!(
        "another florin{process} serves the data directory {}: stop it first, or give this one a directory of its own",
        data_directory.display()
    ))
}
