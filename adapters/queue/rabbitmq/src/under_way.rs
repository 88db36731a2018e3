//! What one consumer has under way, whichever session it began in, and the pause that its ends ask for.

use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout};

use crate::answer::Answered;
use crate::backoff::Backoff;
use crate::config::RabbitMqConfig;

/// The handlers that have begun and not ended.
pub(crate) struct UnderWay {
    function: &'static str,
    handlers: JoinSet<Answered>,
    pauses: Backoff,
    /// No message is begun before this.
    pub(crate) paused_until: Option<Instant>,
}

impl UnderWay {
    pub(crate) fn new(function: &'static str, config: &RabbitMqConfig) -> Self {
        let pauses = Backoff::new(config.pause_first, config.pause_longest);
        Self { function, handlers: JoinSet::new(), pauses, paused_until: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.handlers.len()
    }

    pub(crate) fn begin(&mut self, handling: impl Future<Output = Answered> + Send + 'static) {
        self.handlers.spawn(handling);
    }

    /// Waits until one ends; nothing when none is under way. To be dropped at any time.
    pub(crate) async fn one_ends(&mut self) -> Option<()> {
        let ended = self.handlers.join_next().await?;
        self.take(ended);
        Some(())
    }

    /// Waits until all have ended.
    pub(crate) async fn all_end(&mut self) {
        while self.one_ends().await.is_some() {}
    }

    /// Waits until all have ended, but not longer than this.
    pub(crate) async fn all_end_within(&mut self, limit: Duration) {
        if timeout(limit, self.all_end()).await.is_err() {
            tracing::warn!(
                florin.function = self.function,
                florin.handlers = self.len(),
                "handlers take long: the consumer begins anew without them, and their messages come again"
            );
        }
    }

    fn take(&mut self, ended: Result<Answered, JoinError>) {
        match ended {
            // Those that began before the pause do not make it longer.
            Ok(Answered::NotAttempted) if self.paused_until.is_some() => {}
            Ok(Answered::NotAttempted) => self.paused_until = Some(Instant::now() + self.pauses.pause()),
            Ok(Answered::Attempted) => self.pauses.reset(),
            Err(error) => tracing::error!(
                florin.function = self.function,
                error.message = %error,
                "a handler's task ended early"
            ),
        }
    }
}
