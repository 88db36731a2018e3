//! The locks of the directories whose embedded databases and queue this process serves: nobody else does.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use florin_kernel::service::Definition;
use florin_queue::embedded::ServeLock;

use crate::config::Config;
use crate::deployment::HostError;

/// Held for as long as the process serves.
pub struct Lock {
    directories: BTreeMap<PathBuf, ServeLock>,
}

impl Lock {
    /// Takes the lock of each directory in which something embedded lies.
    ///
    /// # Errors
    /// Another process serves one of them, or it cannot be used.
    pub fn take(config: &Config, services: &[&Definition]) -> Result<Self, HostError> {
        let queue = config.queue_is_embedded().then(|| config.data());
        let databases = services.iter().filter_map(|service| config.embedded_directory(service.name));
        let mut directories = BTreeMap::new();
        for directory in queue.into_iter().chain(databases) {
            std::fs::create_dir_all(&directory)
                .map_err(|error| HostError(format!("{} cannot be made: {error}", directory.display())))?;
            if let Entry::Vacant(place) = directories.entry(directory.canonicalize()?) {
                place.insert(ServeLock::take(&directory)?);
            }
        }
        Ok(Self { directories })
    }

    /// The lock of a directory, when it is among them.
    pub fn of(&self, directory: &Path) -> Option<&ServeLock> {
        self.directories.get(&directory.canonicalize().ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::chosen;

    fn take(settings: &[(&str, &str)]) -> Result<Lock, String> {
        let config = settings
            .iter()
            .fold(Config::default(), |config, (key, value)| config.with(key, Some((*value).to_owned())));
        Lock::take(&config, &chosen(&config).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_embedded_database_is_served_by_one_process_whatever_the_queue_is() {
        let directory = tempfile::tempdir().unwrap();
        let data = ("data", directory.path().to_str().unwrap());
        let queue = ("queue_url", "amqp://127.0.0.1");
        let held = take(&[data, queue, ("functions", "payments.*")]).unwrap();
        assert!(held.of(directory.path()).is_some());
        let refused = take(&[data, queue, ("functions", "audit.*")]).err().unwrap();
        assert!(refused.contains(data.1), "{refused}");
        // A file elsewhere is locked where it lies.
        let file = format!("sqlite://{}/payments.db?mode=rwc", data.1);
        let other = tempfile::tempdir().unwrap();
        let settings = [("data", other.path().to_str().unwrap()), queue, ("payments_database_url", &file)];
        assert!(take(&settings).is_err());
        drop(held);
        assert!(take(&settings).is_ok());
    }

    #[test]
    fn where_nothing_is_embedded_processes_share_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let settings = [
            ("data", directory.path().to_str().unwrap()),
            ("queue_url", "amqp://127.0.0.1"),
            ("database_url", "postgres://127.0.0.1/florin"),
        ];
        let (one, two) = (take(&settings).unwrap(), take(&settings).unwrap());
        assert!(one.of(directory.path()).is_none() && two.of(directory.path()).is_none());
    }
}
