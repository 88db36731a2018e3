//! A pause that doubles while what it waits for stays away.

use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// On until an instant, then off; each pause is twice the one before until all is well again.
pub(super) struct Pause {
    until: Option<Instant>,
    next: Duration,
}

impl Pause {
    pub(super) fn new() -> Self {
        Self { until: None, next: FIRST }
    }

    /// When the pause that is on ends.
    pub(super) fn ends(&mut self) -> Option<Instant> {
        self.until = self.until.filter(|until| *until > Instant::now());
        self.until
    }

    /// Begins a pause. Many that fail together are one failure.
    pub(super) fn begin(&mut self) {
        if self.ends().is_none() {
            self.until = Some(Instant::now() + self.next);
            self.next = (self.next * 2).min(LONGEST);
        }
    }

    /// All is well: the next pause is a short one. One that is on goes on.
    pub(super) fn is_well(&mut self) {
        self.next = FIRST;
    }
}
