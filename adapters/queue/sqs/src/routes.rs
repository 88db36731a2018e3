//! Which queues want an event, where no topic knows it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use florin_kernel::event::Event;
use florin_queue::port::{QueueError, Subscription};

use crate::{Sqs, names};

/// The declared subscriptions.
#[derive(Default)]
pub(crate) struct Routes {
    by_function: RwLock<BTreeMap<&'static str, Subscription>>,
    /// How many declarations are under way.
    pending: Arc<AtomicUsize>,
}

impl Routes {
    pub(crate) fn add(&self, subscriptions: &[Subscription]) {
        let mut routes = self.by_function.write().unwrap_or_else(PoisonError::into_inner);
        routes.extend(subscriptions.iter().map(|subscription| (subscription.function, *subscription)));
    }

    /// From now on a declaration is under way.
    pub(crate) fn begin_pending(&self) -> Pending {
        self.pending.fetch_add(1, Ordering::SeqCst);
        Pending(self.pending.clone())
    }

    /// Whether a declaration is under way, so that what is published could miss a queue.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.load(Ordering::SeqCst) > 0
    }

    /// The functions that want an event; nothing where nobody has said yet who wants anything.
    pub(crate) fn to(&self, event: &Event) -> Option<Vec<&'static str>> {
        let routes = self.by_function.read().unwrap_or_else(PoisonError::into_inner);
        let wanting = routes.values().filter(|subscription| subscription.wants(event));
        (!routes.is_empty()).then(|| wanting.map(|subscription| subscription.function).collect())
    }
}

/// A declaration that is under way until this is dropped.
pub(crate) struct Pending(Arc<AtomicUsize>);

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Sqs {
    /// Says which queues there are, without asking AWS: for a publisher that has no time to declare them, as on
    /// Lambda. Their addresses are then asked for when the first event goes there.
    ///
    /// # Errors
    /// A function's queue would have a name that SQS refuses.
    pub fn route(&self, subscriptions: &[Subscription]) -> Result<(), QueueError> {
        for subscription in subscriptions {
            names::check(&self.inner.config.queue_name(subscription.function))?;
        }
        self.inner.routes.add(subscriptions);
        Ok(())
    }
}
