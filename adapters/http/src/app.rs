//! What the HTTP front serves: services, who may call them, and the limits of this process.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use florin_kernel::function::Function;
use florin_kernel::service::Service;
use tokio::sync::Semaphore;

use crate::token::Verifier;

/// Limits of one process; those of a whole deployment belong to its gateway.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub body_bytes: usize,
    /// How long a request may take to arrive.
    pub arrival: Duration,
    /// How long a room may take.
    pub room: Duration,
    /// How many requests are handled at once; more are answered 503 at once.
    pub concurrency: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            arrival: Duration::from_secs(10),
            room: Duration::from_secs(30),
            concurrency: 1_024,
        }
    }
}

/// Services behind one front.
pub struct App {
    pub(crate) services: Vec<Arc<Service>>,
    pub(crate) verifier: Verifier,
    pub(crate) limits: Limits,
    pub(crate) room_for: Semaphore,
    ready: AtomicBool,
}

impl App {
    /// These services, for bearers of tokens that this verifier accepts.
    pub fn new(services: Vec<Arc<Service>>, verifier: Verifier, limits: Limits) -> Arc<Self> {
        let room_for = Semaphore::new(limits.concurrency.min(Semaphore::MAX_PERMITS));
        Arc::new(Self { services, verifier, limits, room_for, ready: AtomicBool::new(true) })
    }

    /// The services.
    pub fn services(&self) -> &[Arc<Service>] {
        &self.services
    }

    /// The limits of this process.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Says whether `/readyz` may say yes; a drain begins by saying no.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::SeqCst);
    }

    /// Whether this process wants requests.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }

    /// The service that owns a function or job of this name.
    pub fn owner(&self, name: &str) -> Option<&Arc<Service>> {
        let (service, _) = name.split_once('.')?;
        self.services.iter().find(|s| s.name() == service)
    }

    /// Every HTTP door by path.
    pub(crate) fn doors(&self) -> HashMap<&'static str, Vec<(Arc<Service>, &'static Function)>> {
        let mut doors: HashMap<_, Vec<_>> = HashMap::new();
        for service in &self.services {
            for function in service.served() {
                if let Some(at) = function.door() {
                    doors.entry(at.door.path).or_default().push((Arc::clone(service), function));
                }
            }
        }
        doors
    }
}
