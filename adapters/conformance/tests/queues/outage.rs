//! The consumer's database is away: the queue keeps everything, and nobody's attempts are spent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use florin_conformance::commit_proxy::CommitProxy;
use florin_kernel::db::DbConfig;
use florin_kernel::event::Event;
use florin_kernel::rows::dead_letters;
use florin_kernel::service::{Service, Settings};
use florin_testkit::suite::Database;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};

use crate::consuming::{Consuming, Outcome};
use crate::corner::{Corner, ids};
use crate::desk::{DESK, TALLY};
use crate::looks::{attempts, tallied};
use crate::sample::thing;

/// A desk whose database can be taken away.
struct Elsewhere {
    desk: Arc<Service>,
    /// Before PostgreSQL. A file that is gone does not come back to the process that had it open.
    wire: Option<CommitProxy>,
}

impl Elsewhere {
    async fn of(corner: &Corner) -> Self {
        let (wire, url) = match &corner.suite.database {
            Database::Sqlite(_) => (None, corner.suite.database.url(DESK.name)),
            Database::Postgres { login, .. } => {
                let wire = CommitProxy::start(login).await;
                let url = wire.through(login);
                (Some(wire), url)
            }
        };
        let mut config = DbConfig::new(url, DESK.name);
        config.acquire_timeout = Duration::from_millis(500);
        let db = config.connect().await.expect("the database opens");
        let network = Arc::clone(&corner.suite.peers) as Arc<dyn florin_kernel::network::Network>;
        let desk = Service::new(&DESK, db, corner.suite.clock.clone(), network, Settings::default());
        Self { desk, wire }
    }

    async fn go_away(&self) {
        match &self.wire {
            Some(wire) => wire.go_away(),
            None => self.desk.db.close().await,
        }
    }
}

pub(crate) async fn a_database_that_is_away_for_ten_minutes_costs_no_attempt_and_no_event(corner: Corner) {
    corner.declare(&[TALLY]).await;
    let events: Vec<Event> = (1..=10).map(|version| thing("thing_1", version)).collect();
    let elsewhere = Elsewhere::of(&corner).await;
    elsewhere.go_away().await;
    let mut consuming = corner.consume_by(&elsewhere.desk, TALLY, 2).await;
    corner.publish(&events).await;
    let mut tried = 0;
    for _ in 0..2 {
        tried += 3;
        consuming.until("it was tried in vain", |log| log.len() >= tried).await;
        corner.suite.advance(Duration::from_secs(5 * 60));
    }
    match &elsewhere.wire {
        // It goes on by itself.
        Some(wire) => wire.come_back(),
        // A process that lost its disk is started again.
        None => {
            let handled = consuming.stop().await;
            assert!(handled.iter().all(|one| one.outcome == Outcome::NotAttempted), "{handled:?}");
            consuming = corner.consume(TALLY, 2).await;
        }
    }
    assert_nothing_was_lost(&corner, consuming, &events).await;
}

/// A backup, or somebody at a prompt: the file is there, and its one write lock is another's.
pub(crate) async fn a_file_that_another_holds_for_ten_minutes_costs_no_attempt_and_no_event(corner: Corner) {
    corner.declare(&[TALLY]).await;
    let events: Vec<Event> = (1..=10).map(|version| thing("thing_1", version)).collect();
    let elsewhere = Elsewhere::of(&corner).await;
    // SQLite's locks are the connection's, whichever process has it.
    let file: SqliteConnectOptions =
        corner.suite.database.url(DESK.name).parse().expect("an address of SQLite");
    let mut holder = file.connect().await.expect("SQLite opens");
    holder.execute("BEGIN IMMEDIATE").await.expect("nobody writes yet");
    let consuming = corner.consume_by(&elsewhere.desk, TALLY, 2).await;
    corner.publish(&events).await;
    let mut tried = 0;
    for _ in 0..2 {
        tried += 3;
        consuming.until("it was tried in vain", |log| log.len() >= tried).await;
        assert_eq!(tallied(corner.desk(), TALLY).await.len(), 0, "the file was not held");
        corner.suite.advance(Duration::from_secs(5 * 60));
    }
    holder.execute("ROLLBACK").await.expect("it is held");
    // It goes on by itself.
    assert_nothing_was_lost(&corner, consuming, &events).await;
    holder.close().await.expect("SQLite closes");
}

/// Everything is handled once by this consumer, no attempt was spent in vain, and nothing is set aside.
async fn assert_nothing_was_lost(corner: &Corner, consuming: Consuming, events: &[Event]) {
    consuming
        .until("all are handled", |log| {
            let taken = log.iter().filter(|one| one.outcome == Outcome::Taken);
            taken.map(|one| one.id.clone()).collect::<BTreeSet<_>>() == ids(events)
        })
        .await;
    let handled = consuming.stop().await;
    assert!(handled.iter().all(|one| one.outcome != Outcome::Later), "an attempt was spent: {handled:?}");
    corner.assert_empty(TALLY).await;
    corner.assert_nothing_set_aside(TALLY).await;
    let desk = corner.desk();
    assert!(dead_letters::list(desk, 10).await.expect("the dead letters are read").is_empty());
    assert_eq!(attempts(desk, TALLY).await, vec![1; events.len()]);
    let counted = tallied(desk, TALLY).await;
    assert_eq!(
        counted.into_iter().collect::<Vec<_>>(),
        ids(events).into_iter().map(|id| (id, 1)).collect::<Vec<_>>()
    );
}
