//! One service as it runs: its functions, its database, the time, and the ports it needs.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::corridor::Bells;
use crate::db::{Db, DbResult, Migration, Migrations};
use crate::function::{EventEntry, Function};
use crate::id::Ids;
use crate::network::Network;
use crate::time::Clock;

/// What a service crate exports: its table of contents.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// The service's name: the first word of its functions' names, its schema, its file.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Every operation.
    pub functions: &'static [Function],
    /// Every event type it emits.
    pub events: &'static [EventEntry],
    /// Its own tables.
    pub migrations: &'static [Migration],
    /// Whether its operations are told to the audit service; the audit service itself says no.
    pub audited: bool,
}

const KERNEL_MIGRATIONS: Migrations = Migrations {
    module: "kernel",
    steps: &[
        Migration::expanding(1, "kernel", include_str!("../migrations/0001_kernel.sql")),
        Migration::expanding(2, "needs_review", include_str!("../migrations/0002_needs_review.sql")),
        Migration::expanding(3, "answer_headers", include_str!("../migrations/0003_answer_headers.sql")),
        Migration::expanding(4, "index_order", include_str!("../migrations/0004_index_order.sql")),
    ],
};

impl Definition {
    /// The kernel's tables, then the service's.
    pub fn modules(&self) -> [Migrations; 2] {
        [KERNEL_MIGRATIONS, Migrations { module: self.name, steps: self.migrations }]
    }

    /// Its `source` in events.
    pub fn source(&self) -> String {
        format!("/florin/{}", self.name)
    }
}

/// What a deployment may choose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a caller waits for an effect before the answer is 202.
    pub wait: Duration,
    /// How often a delivery is tried before it is a dead letter.
    pub attempts: i64,
    /// How long operations, and with them idempotency keys, are kept.
    pub keep_operations: Duration,
    /// How long the inbox remembers a delivery; SQS keeps messages 14 days.
    pub keep_inbox: Duration,
    /// How long published events and done effects are kept.
    pub keep_done: Duration,
    /// Which functions this process serves: names, or prefixes that end with `*`.
    pub functions: Vec<String>,
    /// Whether the process is frozen after an answer (Lambda): what is in flight is then handed back.
    pub freezes: bool,
    /// What carries events, as spans name it: `rabbitmq`, `aws_sqs` and so on.
    pub messaging_system: &'static str,
    /// Where browsers and peers reach this deployment, without a slash at the end; none where nobody is sent there.
    pub address: Option<String>,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Settings {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(10),
            attempts: 12,
            keep_operations: DAY,
            keep_inbox: DAY * 35,
            keep_done: DAY * 7,
            functions: vec!["*".to_owned()],
            freezes: false,
            messaging_system: "florin",
            address: None,
        }
    }
}

/// A service that can be called.
pub struct Service {
    /// Its table of contents.
    pub definition: &'static Definition,
    /// Its database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Where identifiers come from.
    pub ids: Ids,
    /// What the deployment chose.
    pub settings: Settings,
    pub(crate) network: Arc<dyn Network>,
    /// Rung when a commit put events into the outbox.
    pub outbox_ready: Notify,
    /// The events that this process wrote and nobody took yet, where it is frozen after an answer.
    pub(crate) written: Mutex<Vec<String>>,
    /// Rung when an operation is closed.
    pub(crate) operation_closed: Bells,
    /// Whether nobody knows yet if the schema fits.
    pub(crate) doubted: AtomicBool,
    /// Effects in flight, so that a drain can wait for them.
    pub(crate) effects: tokio_util::task::TaskTracker,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Service({})", self.definition.name)
    }
}

impl Service {
    /// A service on its database, with the host's ports.
    pub fn new(
        definition: &'static Definition,
        db: Db,
        clock: Clock,
        network: Arc<dyn Network>,
        settings: Settings,
    ) -> Arc<Self> {
        Arc::new(Self {
            definition,
            db,
            ids: Ids::new(clock.clone()),
            clock,
            settings,
            network,
            outbox_ready: Notify::new(),
            written: Mutex::default(),
            operation_closed: Bells::default(),
            doubted: AtomicBool::new(false),
            effects: tokio_util::task::TaskTracker::new(),
        })
    }

    /// The identifiers of the events that this process wrote since they were last taken, where [`Settings::freezes`]; those
    /// of transactions that rolled back among them.
    pub fn take_written(&self) -> Vec<String> {
        std::mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The service's name.
    pub fn name(&self) -> &'static str {
        self.definition.name
    }

    /// The functions that this process serves: all, unless the deployment chose some.
    pub fn served(&self) -> impl Iterator<Item = &'static Function> {
        self.definition.functions.iter().filter(|f| self.serves(f.name))
    }

    /// Whether this process serves this function: `*`, `payments.*` and whole names choose.
    pub fn serves(&self, name: &str) -> bool {
        self.settings.functions.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == wanted,
        })
    }

    /// The function of this name.
    pub fn function(&self, name: &str) -> Option<&'static Function> {
        self.definition.functions.iter().find(|f| f.name == name)
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> DbResult<()> {
        self.db.migrate(self.name(), &self.definition.modules()).await
    }

    /// Waits for the effects in flight; call it when no new call can come.
    pub async fn drain(&self) {
        self.effects.close();
        self.effects.wait().await;
    }
}
