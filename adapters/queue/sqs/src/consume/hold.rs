//! Received messages stay invisible to others for as long as they are held here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::Inner;
use crate::settle::MOST;
use crate::visibility;

/// The messages of one consumer that are not answered yet.
pub(super) struct Holds {
    visibility: Duration,
    held: Mutex<Held>,
    /// Taken while holds are renewed, so that no renewal overtakes an answer.
    renewing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    next: u64,
    entries: HashMap<u64, Entry>,
}

struct Entry {
    receipt: String,
    since: Instant,
    until: Instant,
}

/// One held message; dropping it ends the renewals.
pub(super) struct Hold {
    holds: Arc<Holds>,
    key: u64,
    receipt: String,
    since: Instant,
}

impl Holds {
    pub(super) fn new(visibility: Duration) -> Arc<Self> {
        Arc::new(Self { visibility, held: Mutex::default(), renewing: tokio::sync::Mutex::default() })
    }

    /// Holds a message that was just received.
    pub(super) fn hold(self: &Arc<Self>, receipt: String) -> Hold {
        let since = Instant::now();
        let mut held = self.lock();
        let key = held.next;
        held.next += 1;
        let entry = Entry { receipt: receipt.clone(), since, until: since + self.visibility };
        held.entries.insert(key, entry);
        Hold { holds: self.clone(), key, receipt, since }
    }

    /// Renews holds before they run out, until dropped.
    pub(super) async fn renew(&self, inner: &Inner, url: &str) {
        loop {
            sleep(self.visibility / 4).await;
            let _renewing = self.renewing.lock().await;
            for batch in self.due().chunks(MOST) {
                let until = Instant::now() + self.visibility;
                let entries = batch.iter().map(|(_, receipt, seconds)| (receipt.clone(), *seconds));
                inner.postpone(url, entries.collect()).await;
                for (key, _, _) in batch {
                    if let Some(entry) = self.lock().entries.get_mut(key) {
                        entry.until = until;
                    }
                }
            }
        }
    }

    /// What has less than half of its time left.
    fn due(&self) -> Vec<(u64, String, i32)> {
        let soon = Instant::now() + self.visibility / 2;
        let held = self.lock();
        let due = held.entries.iter().filter(|(_, entry)| entry.until < soon);
        let seconds = |entry: &Entry| visibility::seconds(self.visibility, entry.since.elapsed());
        due.map(|(key, entry)| (*key, entry.receipt.clone(), seconds(entry))).collect()
    }

    /// Waits for renewals that are under way.
    pub(super) async fn settled(&self) {
        drop(self.renewing.lock().await);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// For how long it has been held.
    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Ends the renewals; what SQS knows this receipt by.
    pub(super) fn release(self) -> String {
        self.receipt.clone()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.holds.lock().entries.remove(&self.key);
    }
}
