//! A PostgreSQL that vanishes without a word, as a host does that dies, and its successor under the same name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use florin_kernel::caller::TenantId;
use florin_kernel::db::{Db, DbConfig, DbResult, Trouble, Tx, Wall};
use florin_kernel::service::Definition;
use florin_testkit::suite::{Database, Engine};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

const EMPTY: Definition = Definition {
    name: "empty",
    summary: "Nothing, for this test.",
    functions: &[],
    events: &[],
    migrations: &[],
    audited: false,
};

/// How many connections the service may have.
const CONNECTIONS: u32 = 2;
/// Far longer than any of it takes, and far below the quarter of an hour after which TCP gives up.
const FOR_EVER: Duration = Duration::from_secs(120);

/// The way to a server. A host that dies takes its connections along and says nothing; the next one is another host's.
struct Way {
    port: u16,
    deaths: watch::Sender<u32>,
    /// How many connections there were to the server that answers now.
    reached: Arc<AtomicU32>,
    _carrying: JoinSet<()>,
}

impl Way {
    async fn to(host: String, port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let here = listener.local_addr().expect("an address").port();
        let deaths = watch::Sender::new(0);
        let mut died = deaths.subscribe();
        let reached = Arc::new(AtomicU32::new(0));
        let reaching = Arc::clone(&reached);
        let mut carrying = JoinSet::new();
        carrying.spawn(async move {
            let mut each = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                reaching.fetch_add(1, Ordering::Relaxed);
                let mut server = TcpStream::connect((host.as_str(), port)).await.expect("PostgreSQL listens");
                died.mark_unchanged();
                let mut died = died.clone();
                each.spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = died.changed() => {
                            // Both ends stay open, and nothing passes.
                            std::future::pending::<()>().await;
                        }
                    }
                });
            }
        });
        Self { port: here, deaths, reached, _carrying: carrying }
    }

    fn host_dies(&self) {
        self.reached.store(0, Ordering::Relaxed);
        self.deaths.send_modify(|deaths| *deaths += 1);
    }
}

async fn asks(db: &Db) -> DbResult<()> {
    let tenant: TenantId = "acme".parse().expect("a tenant");
    let mut tx = db.begin(Wall::Tenant(&tenant)).await?;
    tx.sql("SELECT 1").run().await?;
    tx.commit().await.map_err(florin_kernel::db::CommitError::into_error)
}

/// Waits until so many connections are back.
async fn are_idle(db: &Db, connections: u32) {
    let Db::Postgres(server) = db else { panic!("this is about PostgreSQL") };
    while server.pool().num_idle() < connections as usize {
        tokio::task::yield_now().await;
    }
}

/// As many transactions at once as there are places, all with the successor.
async fn fill_every_place(db: &Db) -> DbResult<Vec<Tx>> {
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut tx = db.begin(Wall::System).await?;
        tx.sql("SELECT 1").run().await?;
        open.push(tx);
    }
    Ok(open)
}

/// Goes on until every place is the successor's, and tells how often nobody answered: once for each connection to the
/// server that died, at most, before the successor is so much as asked.
async fn meets_the_silence(db: &Db, way: &Way) -> u32 {
    let mut away = 0;
    loop {
        let asked = way.reached.load(Ordering::Relaxed);
        let Err(error) = fill_every_place(db).await else { return away };
        assert_eq!(error.trouble(), Trouble::Away);
        // How long a busy machine takes to let somebody in is not what this is about.
        if asked == way.reached.load(Ordering::Relaxed) {
            away += 1;
            assert!(away <= CONNECTIONS, "the successor is asked, and not: {error}");
        }
    }
}

async fn before_a_server_that_dies(test: impl AsyncFn(&Db, &Way)) {
    with(|_| {}, test).await;
}

async fn with(settings: impl FnOnce(&mut DbConfig), test: impl AsyncFn(&Db, &Way)) {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let Some(database) = Database::create(Engine::Postgres, directory.path()).await else { return };
    database.migrate(&EMPTY).await;
    let server: PgConnectOptions = database.url(EMPTY.name).parse().expect("an address of PostgreSQL");
    let way = Way::to(server.get_host().to_owned(), server.get_port()).await;
    let url = server.host("127.0.0.1").port(way.port).to_url_lossy().to_string();
    let mut config = DbConfig::new(url, EMPTY.name);
    config.connections = CONNECTIONS;
    // Long enough for a new connection on a busy machine: whoever begins waits for that as well.
    config.answer_timeout = Duration::from_secs(2);
    settings(&mut config);
    let db = config.connect().await.expect("the database opens");
    asks(&db).await.expect("the server answers");
    let tested = tokio::time::timeout(FOR_EVER, test(&db, &way)).await;
    tested.expect("nobody waits for a server that died as long as TCP does");
    drop(db);
    database.remove().await;
}

#[tokio::test]
async fn a_server_that_falls_silent_within_transactions_does_not_keep_the_places_of_its_successor() {
    before_a_server_that_dies(async |db, way| {
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut tx = db.begin(Wall::System).await.expect("a transaction begins");
            tx.sql("SELECT 1").run().await.expect("the server answers");
            open.push(tx);
        }
        way.host_dies();
        for mut tx in open {
            let asked = tx.sql("SELECT 1").run().await;
            assert_eq!(asked.expect_err("nobody answers").trouble(), Trouble::Away);
        }
        meets_the_silence(db, way).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_falls_silent_between_transactions_does_not_keep_the_places_of_its_successor() {
    before_a_server_that_dies(async |db, way| {
        let (one, two) = tokio::join!(db.begin(Wall::System), db.begin(Wall::System));
        for idle in [one, two] {
            idle.expect("a transaction begins").rollback().await.expect("it ends");
        }
        are_idle(db, CONNECTIONS).await;
        way.host_dies();
        assert!(meets_the_silence(db, way).await > 0, "somebody met the silence");
    })
    .await;
}

#[tokio::test]
async fn a_room_that_is_given_up_in_mid_statement_does_not_keep_its_place() {
    before_a_server_that_dies(async |db, way| {
        let mut tx = db.begin(Wall::System).await.expect("a transaction begins");
        way.host_dies();
        let given_up = tokio::time::timeout(Duration::from_millis(20), tx.sql("SELECT 1").run()).await;
        given_up.expect_err("nobody answers");
        drop(tx);
        meets_the_silence(db, way).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_falls_silent_as_a_transaction_ends_does_not_keep_the_place_of_its_successor() {
    before_a_server_that_dies(async |db, way| {
        let mut tx = db.begin(Wall::System).await.expect("a transaction begins");
        tx.sql("SELECT 1").run().await.expect("the server answers");
        tx.commit().await.expect("it ends");
        // What is asked of a connection that comes back is asked after this.
        way.host_dies();
        meets_the_silence(db, way).await;
    })
    .await;
}

#[tokio::test]
async fn of_a_server_that_died_while_its_function_was_frozen_nobody_hears() {
    let frozen = |config: &mut DbConfig| {
        config.connections = 1;
        config.ping_idle = true;
        config.answer_timeout = Duration::from_secs(15);
    };
    with(frozen, async |db, way| {
        are_idle(db, 1).await;
        way.host_dies();
        asks(db).await.expect("the successor answers");
    })
    .await;
}
