//! The consumer loop: claims ahead, runs handlers side by side, and answers many messages with one commit.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use florin_kernel::corridor::Disposition;
use futures_util::FutureExt;
use tokio::task::JoinSet;
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

pub(super) async fn consume(
    store: &Store,
    queue: &str,
    concurrency: usize,
    handler: &Handler,
    stop: &CancellationToken,
) {
    let (bell, holder) = (store.bell(queue), store.new_holder());
    let (mut held, mut running) = (Held::new(), JoinSet::<Handled>::new());
    let (mut not_attempted, mut store_away) = (Pause::new(), Pause::new());
    let (mut look, mut next_look, mut last_tries) = (true, Instant::now() + LOOK, LAST_TRIES);
    loop {
        let stopping = stop.is_cancelled();
        if stopping {
            held.give_back(store.clock.now());
        } else if not_attempted.ends().is_none() {
            while running.len() < concurrency
                && let Some((id, event)) = held.next(store.clock.now())
            {
                let handler = handler.clone();
                running.spawn(async move {
                    (id, AssertUnwindSafe(async move { handler(event).await }).catch_unwind().await.ok())
                });
            }
        }
        if store_away.ends().is_none() {
            let renew = held.to_renew(store.clock.now());
            let wants = look && !stopping && not_attempted.ends().is_none() && held.waiting() < concurrency;
            let want = if wants { concurrency + AHEAD - held.waiting() } else { 0 };
            if want > 0 || !renew.is_empty() || worth_a_commit(&held, stopping) {
                let turn = Turn { queue, holder: &holder, answers: held.answers(), renew: &renew, want };
                match store.turn(turn).await {
                    Ok(turned) => {
                        look = if wants { turned.claimed.len() == want } else { look };
                        held.turned(turned, !renew.is_empty());
                        store_away.is_well();
                        continue;
                    }
                    Err(error) => {
                        tracing::warn!(queue, error.message = %error, "the queue's store is away");
                        store_away.begin();
                        last_tries = last_tries.saturating_sub(u32::from(stopping));
                    }
                }
            }
        }
        if stopping && running.is_empty() && (held.answers().is_empty() || last_tries == 0) {
            return;
        }
        let lingers = held.answered_since().map(|since| since + LINGER);
        let wakes =
            [lingers.filter(|_| store_away.ends().is_none()), not_attempted.ends(), store_away.ends()];
        let wakes = wakes.into_iter().flatten().fold(next_look, Instant::min);
        tokio::select! {
            Some(handled) = running.join_next() => {
                let mut handled = Some(handled);
                while let Some(ended) = handled {
                    // A task ends without its result only when the runtime ends.
                    if let Ok((id, disposition)) = ended {
                        take(store, queue, &mut held, &mut not_attempted, id, disposition);
                    }
                    handled = running.try_join_next();
                }
            }
            () = bell.notified(), if !look && !stopping => look = true,
            () = stop.cancelled(), if !stopping => {}
            () = sleep_until(wakes) => {}
        }
        if Instant::now() >= next_look {
            look = true;
            next_look = Instant::now() + LOOK;
        }
    }
}

fn worth_a_commit(held: &Held, stopping: bool) -> bool {
    let waited = held.answered_since().is_some_and(|since| since.elapsed() >= LINGER);
    let answers = held.answers().len();
    answers > 0 && (answers >= ANSWERS || waited || stopping || held.is_answered())
}

fn take(
    store: &Store,
    queue: &str,
    held: &mut Held,
    not_attempted: &mut Pause,
    id: i64,
    disposition: Option<Disposition>,
) {
    let answer = match disposition {
        Some(Disposition::Done | Disposition::Duplicate | Disposition::Permanent { .. }) => Answer::Done,
        Some(Disposition::Retry { after }) => Answer::Due(store.clock.now().plus(after)),
        Some(Disposition::NotAttempted) => {
            not_attempted.begin();
            return held.answer(id, Answer::Due(store.clock.now()));
        }
        None => {
            tracing::error!(queue, "a handler panicked: its message comes again when the lease ends");
            return held.lose(id);
        }
    };
    not_attempted.is_well();
    held.answer(id, answer);
}
