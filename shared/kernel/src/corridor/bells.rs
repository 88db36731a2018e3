//! Who waits for an operation is told when it closes; nobody else wakes up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The bells of the operations that somebody in this process waits for.
#[derive(Debug, Default)]
pub(crate) struct Bells(Mutex<HashMap<String, Hung>>);

#[derive(Debug, Default)]
struct Hung {
    bell: Arc<Notify>,
    waiting: usize,
}

impl Bells {
    fn hung(&self) -> MutexGuard<'_, HashMap<String, Hung>> {
        // A panic elsewhere leaves the map as whole as it was.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A bell for this operation, as long as it is held.
    pub(super) fn hang(&self, operation_id: &str) -> Bell<'_> {
        let mut all = self.hung();
        let hung = all.entry(operation_id.to_owned()).or_default();
        hung.waiting += 1;
        Bell { bells: self, operation_id: operation_id.to_owned(), bell: Arc::clone(&hung.bell) }
    }

    /// Wakes all who wait for this operation.
    pub(super) fn ring(&self, operation_id: &str) {
        if let Some(hung) = self.hung().get(operation_id) {
            hung.bell.notify_waiters();
        }
    }
}

/// One waiter's hold on a bell.
pub(super) struct Bell<'b> {
    bells: &'b Bells,
    operation_id: String,
    pub(super) bell: Arc<Notify>,
}

impl Drop for Bell<'_> {
    fn drop(&mut self) {
        let mut all = self.bells.hung();
        if let Some(hung) = all.get_mut(&self.operation_id) {
            hung.waiting -= 1;
            if hung.waiting == 0 {
                all.remove(&self.operation_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_is_gone_with_its_last_waiter() {
        let bells = Bells::default();
        let (one, two) = (bells.hang("a"), bells.hang("a"));
        drop(one);
        assert_eq!(bells.hung().len(), 1);
        drop(two);
        assert!(bells.hung().is_empty());
    }
}
