//! The issuer's keys kept in memory: fetched when needed, seldom, by one task at a time.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use florin_kernel::time::Timestamp;
use reqwest::Client;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::fetch::{self, Location};
use super::key_set::KeySet;
use super::refusal::TokenRefusal;

/// How long a set is believed without asking: what the issuer's `max-age` says, within these bounds.
const FRESH_AT_LEAST: Duration = Duration::from_secs(5 * 60);
const FRESH_AT_MOST: Duration = Duration::from_secs(60 * 60);
/// How long a set is believed when the issuer does not answer. An issuer that is away for a day gives no
/// tokens either, so this turns away none of its clients; it bounds how long a withdrawn key works for
/// someone who can keep the answer from us.
const STALE_AT_MOST: Duration = Duration::from_secs(24 * 60 * 60);
/// Between two attempts, whatever the tokens say: names of keys are the sender's to invent.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(30);
/// Between two attempts while there is no key at all and every request is turned away.
const BETWEEN_FIRST_ATTEMPTS: Duration = Duration::from_secs(5);

/// The keys of an issuer across the network. Its limits hold per process.
#[derive(Clone, Debug)]
pub(super) struct RemoteKeys(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    location: Location,
    client: Client,
    state: RwLock<State>,
    /// Held while a fetch is under way.
    fetching: Arc<Mutex<()>>,
}

#[derive(Clone, Debug, Default)]
struct State {
    held: Option<Held>,
    last_attempt: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Held {
    keys: Arc<KeySet>,
    fresh_until: Timestamp,
}

impl RemoteKeys {
    pub(super) fn new(location: Location) -> Result<Self, reqwest::Error> {
        let (client, state) = (fetch::client()?, RwLock::default());
        Ok(Self(Arc::new(Shared { location, client, state, fetching: Arc::default() })))
    }

    /// The keys to look for `kid` in; fetched anew when they are old or do not have it, within the limits.
    pub(super) async fn keys(&self, kid: Option<&str>, now: Timestamp) -> Result<Arc<KeySet>, TokenRefusal> {
        match self.state().held_at(now) {
            Some(held) if held.keys.key(kid).is_some() => {
                // Old keys are as good as new ones while somebody else asks.
                if now >= held.fresh_until
                    && let Ok(permit) = self.0.fetching.clone().try_lock_owned()
                {
                    self.refresh(permit, now).await;
                }
            }
            _ => {
                let permit = self.0.fetching.clone().lock_owned().await;
                // Whoever held the permit before may have brought the key.
                let found = self.state().held_at(now).is_some_and(|held| held.keys.key(kid).is_some());
                if !found {
                    self.refresh(permit, now).await;
                }
            }
        }
        let state = self.state();
        match state.held_at(now) {
            Some(held) => Ok(held.keys),
            None => Err(TokenRefusal::KeysAway { retry_after: state.next_attempt_in(now) }),
        }
    }

    /// Fetches once unless it is too early. The task is its own, so a client that hangs up does not undo it:
    /// otherwise one that always does would keep the keys away for ever.
    async fn refresh(&self, permit: OwnedMutexGuard<()>, now: Timestamp) {
        if !self.state().next_attempt_in(now).is_zero() {
            return;
        }
        self.change(|state| state.last_attempt = Some(now));
        let this = self.clone();
        let task = tokio::spawn(async move {
            let _permit = permit;
            match fetch::fetch(&this.0.client, &this.0.location).await {
                Ok(fetched) => {
                    for key in fetched.keys.ignored() {
                        tracing::debug!(
                            key.id = key.kid,
                            reason = key.reason,
                            "a published key is passed over"
                        );
                    }
                    let fresh = fetched.max_age.unwrap_or_default().clamp(FRESH_AT_LEAST, FRESH_AT_MOST);
                    let held = Held { keys: Arc::new(fetched.keys), fresh_until: now.plus(fresh) };
                    this.change(|state| state.held = Some(held));
                }
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    location = ?this.0.location,
                    "the issuer's keys were not fetched; those held stay in use"
                ),
            }
        });
        // It fails only by a panic, which the runtime has reported; the keys held stay as they were.
        let _ = task.await;
    }

    fn state(&self) -> State {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.state.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl State {
    /// The keys held, unless they are too old to be believed.
    fn held_at(&self, now: Timestamp) -> Option<Held> {
        self.held.clone().filter(|held| now < held.fresh_until.plus(STALE_AT_MOST))
    }

    fn next_attempt_in(&self, now: Timestamp) -> Duration {
        let between = if self.held_at(now).is_some() { BETWEEN_ATTEMPTS } else { BETWEEN_FIRST_ATTEMPTS };
        self.last_attempt.map_or(Duration::ZERO, |last| between.saturating_sub(apart(last, now)))
    }
}

/// The distance of two instants either way: a clock set back must not keep the keys away until it catches up.
fn apart(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}
