//! A deterministic payment provider to develop and test against: an HTTP peer with a store of its own.
//!
//! It is never part of a service. How a charge goes is decided by its payment method alone
//! (see [`payment_method`]), and its records say how often each thing happened.

mod authenticate;
mod capture_charge;
mod charge;
mod create_charge;
mod door;
mod failure;
mod group_commit;
mod idempotency;
mod movement;
mod page;
pub mod payment_method;
mod records;
mod refund_charge;
mod router;
mod serve;
mod summary;
mod void_charge;
mod withhold;

use std::sync::Arc;
use std::time::Duration;

use florin_kernel::db::{Db, DbConfig, DbError, DbResult, Migration, Migrations, Trouble};
use florin_kernel::id::Ids;
use florin_kernel::time::Clock;
use tokio_util::sync::CancellationToken;

use group_commit::{Given, Line};

pub use serve::serve;

const MIGRATIONS: Migrations = Migrations {
    module: "sandbox",
    steps: &[Migration::expanding(
        1,
        "charges, movements, requests",
        include_str!("../migrations/0001_sandbox.sql"),
    )],
};

/// How a sandbox is reached and how long its awkward payment methods take.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Where a browser reaches the router, with the prefix it is nested under: `http://localhost:8064/sandbox`.
    /// Without it, `http://` and the request's `Host`.
    pub public_base: Option<String>,
    /// The bearer credential that `/v1` asks for; without it everybody may charge.
    pub api_key: Option<String>,
    /// How long `pm_card_timeout_after_charge` keeps the connection open before it closes it without an answer.
    pub hold: Duration,
    /// How long `pm_card_slow` lets its first request wait for the answer.
    pub slow: Duration,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            public_base: None,
            api_key: None,
            // Longer than any client of ours waits.
            hold: Duration::from_secs(35),
            slow: Duration::from_secs(2),
        }
    }
}

/// The provider. Clones share one store.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    ids: Ids,
    line: Line,
    config: SandboxConfig,
    closing: CancellationToken,
}

impl Sandbox {
    /// Opens the store, a SQLite file (`sqlite:///path/to/sandbox.db`), and brings its schema up to date.
    ///
    /// The clock stamps charges and identifiers; `hold` and `slow` are real time whatever clock is given.
    pub async fn open(database_url: &str, config: SandboxConfig, clock: Clock) -> DbResult<Self> {
        if !database_url.starts_with("sqlite:") {
            return Err(DbError::said(Trouble::Fault, "the sandbox keeps its records in a sqlite: file"));
        }
        let db = DbConfig::new(database_url, "sandbox").connect().await?;
        db.migrate("sandbox", &[MIGRATIONS]).await?;
        let ids = Ids::new(clock.clone());
        let line = Line::open(db.clone(), Given { clock: clock.clone(), ids: ids.clone() });
        Ok(Self(Arc::new(Inner { db, clock, ids, line, config, closing: CancellationToken::new() })))
    }

    /// Its API and its page, to be served as it is or nested under a prefix.
    pub fn router(&self) -> axum::Router {
        router::router(self.clone())
    }

    /// Lets go of every connection that is held or slow, now and from now on, so that a server can drain.
    /// [`serve`] does it itself.
    pub fn release(&self) {
        self.0.closing.cancel();
    }

    /// Closes the store after the requests in hand.
    pub async fn close(&self) {
        self.0.db.close().await;
    }
}
