//! The pause of a consumer whose function could not be attempted.

use tokio::sync::watch;

/// Whether one message is being tried again while no other is taken.
pub(super) struct Pause(watch::Sender<bool>);

/// The pause, which ends with this.
pub(super) struct Pausing<'p>(&'p Pause);

impl Pause {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Begins the pause, unless it has begun.
    pub(super) fn begin(&self) -> Option<Pausing<'_>> {
        let begins = self.0.send_if_modified(|paused| !std::mem::replace(paused, true));
        // Made only then: dropping one ends the pause.
        begins.then(|| Pausing(self))
    }

    pub(super) async fn begun(&self) {
        self.until(true).await;
    }

    pub(super) async fn over(&self) {
        self.until(false).await;
    }

    async fn until(&self, wanted: bool) {
        // The sender is ours, so the wait does not fail.
        let _ = self.0.subscribe().wait_for(|paused| *paused == wanted).await;
    }
}

impl Drop for Pausing<'_> {
    fn drop(&mut self) {
        self.0.0.send_replace(false);
    }
}
