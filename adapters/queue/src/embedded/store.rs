//! The file, what is known about it in this process, and who may open it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use florin_kernel::db::{CommitError, Db, DbConfig, DbResult, Migration, Migrations, Trouble, Tx, Wall};
use florin_kernel::id::{Ids, Kind};
use florin_kernel::time::Clock;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::sync::Notify;

use super::subscriptions::Patterns;
use crate::port::QueueError;

/// The name of the queue's file in the data directory.
pub const FILE: &str = "queue.db";

/// What would end or change the path in a database's address.
const IN_ADDRESS: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

const MIGRATIONS: Migrations = Migrations {
    module: "queue",
    steps: &[Migration::expanding(1, "queue", include_str!("0001_queue.sql"))],
};

#[derive(Debug)]
pub(super) struct Store {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) patterns: Patterns,
    ids: Ids,
    /// One for each queue that was consumed in this process; publishing here rings it. What another process
    /// publishes is found by looking.
    bells: Mutex<HashMap<String, Arc<Notify>>>,
}

/// Who holds messages: one run of one consumer.
enum HolderKind {}
impl Kind for HolderKind {
    const PREFIX: &'static str = "hld";
}

impl Store {
    pub(super) async fn open(data_directory: &Path, clock: Clock) -> Result<Self, QueueError> {
        let path = data_directory.join(FILE);
        let unusable =
            |error: &str| QueueError(format!("the queue {} cannot be opened: {error}", path.display()));
        std::fs::create_dir_all(data_directory).map_err(|error| unusable(&error.to_string()))?;
        let text = path.to_str().ok_or_else(|| unusable("its path is not UTF-8"))?;
        let mut config =
            DbConfig::new(format!("sqlite://{}", utf8_percent_encode(text, IN_ADDRESS)), "queue");
        // Only a command reads without writing.
        config.connections = 1;
        let db = connect(&config).await.map_err(|error| unusable(&error.to_string()))?;
        Ok(Self {
            db,
            ids: Ids::new(clock.clone()),
            clock,
            patterns: Patterns::default(),
            bells: Mutex::default(),
        })
    }

    pub(super) async fn begin(&self) -> DbResult<Tx> {
        self.db.begin(Wall::System).await
    }

    pub(super) fn new_holder(&self) -> String {
        self.ids.new_id::<HolderKind>().to_string()
    }

    /// The bell of one queue.
    pub(super) fn bell(&self, queue: &str) -> Arc<Notify> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(bells.entry(queue.to_owned()).or_default())
    }

    /// Ends every lease.
    pub(super) async fn give_back_all(&self) -> DbResult<u64> {
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let given_back = tx
            .sql(
                "UPDATE queue_messages
                 SET holder = NULL, due_at = $1, lost = lost + 1
                 WHERE holder IS NOT NULL",
            )
            .bind(now)
            .run()
            .await?;
        tx.commit().await.map_err(CommitError::into_error)?;
        Ok(given_back)
    }
}

/// Opens and migrates. Two processes that make the file at the same moment get in each other's way: SQLite
/// answers the change to WAL with BUSY, however long the busy timeout is.
async fn connect(config: &DbConfig) -> DbResult<Db> {
    let mut tries = 1;
    loop {
        let opened = async {
            let db = config.connect().await?;
            db.migrate("queue", &[MIGRATIONS]).await?;
            db.check_schema(&[MIGRATIONS]).await?;
            DbResult::Ok(db)
        };
        match opened.await {
            Err(error) if error.trouble() == Trouble::Contended && tries < 50 => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            opened => return opened,
        }
    }
}
