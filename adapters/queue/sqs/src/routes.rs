//! Which queues want an event, where no topic knows it.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use florin_kernel::event::Event;
use florin_queue::port::{QueueError, Subscription};

use crate::{Sqs, names};

/// The declared subscriptions by function.
#[derive(Default)]
pub(crate) struct Routes(RwLock<BTreeMap<&'static str, Subscription>>);

impl Routes {
    pub(crate) fn add(&self, subscriptions: &[Subscription]) {
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        routes.extend(subscriptions.iter().map(|subscription| (subscription.function, *subscription)));
    }

    /// The functions that want an event; nothing where nobody has said yet who wants anything.
    pub(crate) fn to(&self, event: &Event) -> Option<Vec<&'static str>> {
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let wanting = routes.values().filter(|subscription| subscription.wants(event));
        (!routes.is_empty()).then(|| wanting.map(|subscription| subscription.function).collect())
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
