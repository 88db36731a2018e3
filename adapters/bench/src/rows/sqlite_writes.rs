//! Payments created on SQLite by eight clients, beside rusqlite with the same statements on one connection.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use florin_kernel::caller::{Caller, TenantId};
use florin_kernel::corridor::HttpCall;
use florin_kernel::db::{Db, DbConfig, Wall};
use florin_kernel::network::{Network, Outgoing, Response, SendError};
use florin_kernel::service::{Service, Settings};
use florin_kernel::time::Clock;
use futures_util::future::{BoxFuture, try_join_all};

use crate::bench::Bench;
use crate::error::{Outcome, Trouble};
use crate::latencies::Latencies;
use crate::replay::{Replay, Value};
use crate::row::{Budget, Round, Row};
use crate::site::TENANT;
use crate::statement_log::transactions_of;

pub(super) const NAME: &str = "sqlite-writes";

const CLIENTS: usize = 8;

/// Creating asks for no effect, so nobody is spoken to.
struct Nobody;

impl Network for Nobody {
    fn send(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<Response, SendError>> {
        Box::pin(async move { Err(SendError::NotSent(outgoing.peer.to_owned())) })
    }
}

pub(super) async fn measure(bench: &Bench) -> Outcome<Vec<Row>> {
    let replay = Arc::new(seen(bench).await?);
    let directory = bench.scratch(NAME)?;
    let service = service(sqlite(&directory, "ours").await?);
    service.migrate().await?;
    let layer = sqlite(&directory, "layer").await?;
    let rusqlite = directory.join("rusqlite.db");
    for (name, db) in [("layer", &layer), ("rusqlite", &sqlite(&directory, "rusqlite").await?)] {
        let migrated = db.migrate(name, &florin_payments::SERVICE.modules()).await;
        migrated?;
    }
    let baseline = async || {
        let (replay, path, lasts) = (Arc::clone(&replay), rusqlite.clone(), bench.lasts());
        tokio::task::spawn_blocking(move || on_rusqlite(&replay, &path, lasts)).await?
    };
    let (a, b) = bench.take_turns(async || operations(&service, bench.lasts()).await, baseline).await?;
    let against = "rusqlite, one connection, the same statements";
    let statements = format!(
        "{CLIENTS} tasks; {} statements between BEGIN and COMMIT, read from PostgreSQL's log of the same operation",
        replay.statements()
    );
    let operation = Row::compared(
        (NAME, "payments/s"),
        ("SQLite, synchronous FULL: create_payment through the corridor", against),
        Some(Budget::AtLeast(0.4)),
        &a,
        &b,
    );
    let (a, b) =
        bench.take_turns(async || statements_alone(&layer, &replay, bench.lasts()).await, baseline).await?;
    let alone = Row::compared(
        (NAME, "transactions/s"),
        (
            "SQLite, synchronous FULL: the same statements through the database layer, each awaited by itself",
            against,
        ),
        None,
        &a,
        &b,
    );
    Ok(vec![operation.note(statements.clone()), alone.note(statements)])
}

async fn sqlite(directory: &Path, name: &str) -> Outcome<Db> {
    let url = format!("sqlite://{}", directory.join(format!("{name}.db")).display());
    Ok(DbConfig::new(url, "payments").connect().await?)
}

fn service(db: Db) -> Arc<Service> {
    Service::new(&florin_payments::SERVICE, db, Clock::System, Arc::new(Nobody), Settings::default())
}

/// What creating a payment asks of a database: one text serves both engines, and PostgreSQL has a log of it.
async fn seen(bench: &Bench) -> Outcome<Replay> {
    let server = bench.postgres().await?;
    let place = server.place(&[&florin_payments::SERVICE]).await?;
    let service = service(DbConfig::new(place.login.clone(), "payments").connect().await?);
    create(&service, "key_00000000000000000000000000000000").await?;
    let key = "key_00000000000000000000000000000001";
    let ((), seen) = transactions_of(server, &place, create(&service, key)).await?;
    service.db.close().await;
    let creating = seen.iter().find(|transaction| transaction.says("INSERT INTO payments"));
    Replay::of(creating.ok_or_else(|| Trouble::failed("the log shows no payment"))?)
}

async fn create(service: &Arc<Service>, key: &str) -> Outcome<()> {
    let function = service.function("payments.create_payment");
    let function = function.ok_or_else(|| Trouble::failed("no function creates payments"))?;
    let caller =
        Caller { scopes: ["payments:write".to_owned()].into(), ..Caller::system("load", TENANT.parse()?) };
    let call = HttpCall {
        caller: Some(caller),
        path: "/v1/payments".to_owned(),
        path_parameters: Vec::new(),
        query: Vec::new(),
        content_type: Some("application/json".to_owned()),
        read: Ok(Vec::new()),
        body: Bytes::from_static(br#"{"amount": 2590, "currency": "EUR", "payment_method": "pm_card_visa"}"#),
        idempotency_key: Some(key.to_owned()),
        request_id: None,
        trace: None,
        deadline: None,
    };
    let answered = service.call(function, call).await;
    match answered.status {
        201 => Ok(()),
        status => Err(Trouble::failed(format!("{status} {}", String::from_utf8_lossy(&answered.body)))),
    }
}

async fn operations(service: &Arc<Service>, lasts: Duration) -> Outcome<Round> {
    let name = |number: u64| format!("key_{number:032x}");
    in_parallel(lasts, |number| {
        let (service, key) = (Arc::clone(service), name(number));
        async move { create(&service, &key).await }
    })
    .await
}

async fn statements_alone(db: &Db, replay: &Arc<Replay>, lasts: Duration) -> Outcome<Round> {
    let tenant: TenantId = TENANT.parse()?;
    in_parallel(lasts, |number| {
        let (db, replay, tenant) = (db.clone(), Arc::clone(replay), tenant.clone());
        async move {
            let mut tx = db.begin(Wall::Tenant(&tenant)).await?;
            for step in replay.steps() {
                if step.text.starts_with("SAVEPOINT") {
                    tx.savepoint().await?;
                    continue;
                }
                let mut query = tx.sql(step.text);
                for value in step.values(number) {
                    query = match value {
                        Value::Null => query.bind(None::<String>),
                        Value::Text(text) => query.bind(text),
                        Value::Bytes(bytes) => query.bind(bytes),
                    };
                }
                query.run().await?;
            }
            Ok(tx.commit().await?)
        }
    })
    .await
}

/// Has tasks take numbered turns for so long; no number comes twice in a process.
async fn in_parallel<T>(lasts: Duration, turn: impl Fn(u64) -> T) -> Outcome<Round>
where
    T: Future<Output = Outcome<()>> + Send + 'static,
{
    let began = Instant::now();
    let client = async || {
        let mut latencies = Latencies::default();
        while began.elapsed() < lasts {
            let sent = Instant::now();
            tokio::spawn(turn(crate::replay::number())).await??;
            latencies.add(sent.elapsed());
        }
        Ok::<_, Trouble>(latencies)
    };
    let all = try_join_all((0..CLIENTS).map(|_| client())).await?;
    Ok(summed(&all, began.elapsed()))
}

fn on_rusqlite(replay: &Replay, path: &Path, lasts: Duration) -> Outcome<Round> {
    let on = rusqlite::Connection::open(path)?;
    on.pragma_update(None, "journal_mode", "WAL")?;
    on.pragma_update(None, "synchronous", "FULL")?;
    on.pragma_update(None, "foreign_keys", true)?;
    on.set_prepared_statement_cache_capacity(256);
    let (mut latencies, began) = (Latencies::default(), Instant::now());
    while began.elapsed() < lasts {
        let sent = Instant::now();
        let number = crate::replay::number();
        on.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
        for step in replay.steps() {
            let mut statement = on.prepare_cached(step.text)?;
            for (index, value) in step.values(number).into_iter().enumerate() {
                let Some(at) = statement.parameter_index(&format!("${}", index + 1))? else { continue };
                match value {
                    Value::Null => statement.raw_bind_parameter(at, None::<String>)?,
                    Value::Text(text) => statement.raw_bind_parameter(at, text)?,
                    Value::Bytes(bytes) => statement.raw_bind_parameter(at, bytes)?,
                }
            }
            let changed = statement.raw_execute()?;
            // A savepoint leaves the count of the statement before.
            if changed != 1 && !step.text.starts_with("SAVEPOINT") {
                return Err(Trouble::failed(format!("{changed} rows in place of one: {}", step.text)));
            }
        }
        on.prepare_cached("COMMIT")?.raw_execute()?;
        latencies.add(sent.elapsed());
    }
    Ok(summed(&[latencies], began.elapsed()))
}

fn summed(all: &[Latencies], elapsed: Duration) -> Round {
    let mut latencies = Latencies::default();
    all.iter().for_each(|of_one| latencies.extend(of_one));
    let count = u64::try_from(latencies.count()).unwrap_or(u64::MAX);
    Round { value: super::per_second(count, elapsed), latencies, ..Round::default() }
}
