//! The consumer loop: claims ahead, runs handlers side by side, and answers many messages with one commit.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use florin_kernel::corridor::Disposition;
use futures_util::FutureExt;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::claim::{Answer, Turn};
use super::held::Held;
use super::pause::Pause;
use super::store::Store;
use crate::port::Handler;

/// How many messages wait for a handler beyond one for each: what one claim's commit is shared by.
const AHEAD: usize = 32;
/// How many answers are worth a commit of their own.
const ANSWERS: usize = 32;
/// How long an answer waits for others. A message answered twice because of it is a duplicate to its reaction.
const LINGER: Duration = Duration::from_millis(20);
/// How often a consumer looks by itself: what another process publishes, and what becomes due, rings no bell.
const LOOK: Duration = Duration::from_millis(500);
/// How often a consumer that stops tries to answer; afterwards its leases end by themselves.
const LAST_TRIES: u32 = 5;

/// What a handler came to; nothing when it panicked.
type Handled = (i64, Option<Disposition>);

/// Consumes until `stop`, then finishes what was begun.
pub(super) async fn consume(
    store: &Store,
    queue: &str,
    concurrency: usize,
    handler: &Handler,
    stop: &CancellationToken,
) {
    let bell = store.bell(queue);
    let mut consumer = Consumer::new(store, queue, concurrency);
    loop {
        let stopping = stop.is_cancelled();
        if stopping {
            consumer.held.give_back(store.clock.now());
        } else {
            consumer.start(handler);
        }
        if consumer.turn(stopping).await {
            continue;
        }
        if stopping && consumer.is_over() {
            return;
        }
        let wakes = consumer.wakes();
        tokio::select! {
            Some(handled) = consumer.running.join_next() => consumer.take(handled),
            () = bell.notified(), if !consumer.look && !stopping => consumer.look = true,
            () = stop.cancelled(), if !stopping => {}
            () = sleep_until(wakes) => {}
        }
    }
}

struct Consumer<'a> {
    store: &'a Store,
    queue: &'a str,
    concurrency: usize,
    /// A new one for each run: what the run before held is another's.
    holder: String,
    held: Held,
    running: JoinSet<Handled>,
    /// While what the handlers need is away.
    not_attempted: Pause,
    /// While the queue's own store is away.
    store_away: Pause,
    /// Whether something may be due.
    look: bool,
    next_look: Instant,
    last_tries: u32,
}

impl<'a> Consumer<'a> {
    fn new(store: &'a Store, queue: &'a str, concurrency: usize) -> Self {
        Self {
            store,
            queue,
            concurrency,
            holder: store.new_holder(),
            held: Held::new(),
            running: JoinSet::new(),
            not_attempted: Pause::new(),
            store_away: Pause::new(),
            look: true,
            next_look: Instant::now() + LOOK,
            last_tries: LAST_TRIES,
        }
    }

    /// Gives messages to handlers, as many as may run.
    fn start(&mut self, handler: &Handler) {
        if self.not_attempted.ends().is_some() {
            return;
        }
        while self.running.len() < self.concurrency
            && let Some((id, event)) = self.held.next(self.store.clock.now())
        {
            let handler = handler.clone();
            self.running.spawn(async move {
                (id, AssertUnwindSafe(async move { handler(event).await }).catch_unwind().await.ok())
            });
        }
    }

    /// Takes a turn at the store when there is reason to; whether it did.
    async fn turn(&mut self, stopping: bool) -> bool {
        if Instant::now() >= self.next_look {
            self.look = true;
            self.next_look = Instant::now() + LOOK;
        }
        if self.store_away.ends().is_some() {
            return false;
        }
        let renew = self.held.to_renew(self.store.clock.now());
        let want = if stopping { 0 } else { self.want() };
        if want == 0 && renew.is_empty() && !self.is_worth_a_commit(stopping) {
            return false;
        }
        let turn = Turn {
            queue: self.queue,
            holder: &self.holder,
            answers: self.held.answers(),
            renew: &renew,
            want,
        };
        match self.store.turn(turn).await {
            Ok(turned) => {
                if want > 0 {
                    // Fewer than wanted: nothing else is due.
                    self.look = turned.claimed.len() == want;
                }
                self.held.turned(turned, !renew.is_empty());
                self.store_away.is_well();
                true
            }
            Err(error) => {
                tracing::warn!(messaging.destination.name = self.queue, error.message = %error, "the queue's store is away");
                self.store_away.begin();
                self.last_tries = self.last_tries.saturating_sub(u32::from(stopping));
                false
            }
        }
    }

    /// How many messages to claim: none while as many wait as may run.
    fn want(&mut self) -> usize {
        let waiting = self.held.waiting();
        let may = self.look && waiting < self.concurrency && self.not_attempted.ends().is_none();
        if may { self.concurrency + AHEAD - waiting } else { 0 }
    }

    fn is_worth_a_commit(&self, stopping: bool) -> bool {
        let answers = self.held.answers().len();
        let waited = self.held.answered_since().is_some_and(|since| since.elapsed() >= LINGER);
        answers > 0 && (answers >= ANSWERS || waited || stopping || self.held.is_answered())
    }

    /// Whether a consumer that stops has nothing left to do, or can do nothing more.
    fn is_over(&self) -> bool {
        self.running.is_empty() && (self.held.answers().is_empty() || self.last_tries == 0)
    }

    /// When there is something to do although nothing happens.
    fn wakes(&mut self) -> Instant {
        let store_away = self.store_away.ends();
        let lingers = self.held.answered_since().filter(|_| store_away.is_none()).map(|since| since + LINGER);
        let wakes = [lingers, store_away, self.not_attempted.ends()];
        wakes.into_iter().flatten().fold(self.next_look, Instant::min)
    }

    /// Takes what a handler came to, and what others came to meanwhile.
    fn take(&mut self, handled: Result<Handled, JoinError>) {
        let mut handled = Some(handled);
        while let Some(ended) = handled {
            // A task ends without its result only when the runtime ends.
            if let Ok((id, disposition)) = ended {
                self.answer(id, disposition);
            }
            handled = self.running.try_join_next();
        }
    }

    fn answer(&mut self, id: i64, disposition: Option<Disposition>) {
        let now = self.store.clock.now();
        let answer = match disposition {
            None => {
                tracing::error!(
                    messaging.destination.name = self.queue,
                    "a handler panicked: its message comes again when the lease ends"
                );
                return self.held.lose(id);
            }
            Some(Disposition::NotAttempted) => {
                self.not_attempted.begin();
                // It is due at once, and is claimed again after the pause.
                self.look = true;
                return self.held.answer(id, Answer::Due(now));
            }
            Some(Disposition::Done | Disposition::Duplicate | Disposition::Permanent { .. }) => Answer::Done,
            Some(Disposition::Retry { after }) => Answer::Due(now.plus(after)),
        };
        self.not_attempted.is_well();
        self.held.answer(id, answer);
    }
}
