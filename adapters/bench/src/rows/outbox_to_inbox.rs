//! Events from the outbox through RabbitMQ to a consumer with an inbox, beside raw lapin with the same inserts.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use florin_http::network::HttpNetwork;
use florin_kernel::caller::Caller;
use florin_kernel::corridor::HttpCall;
use florin_kernel::db::DbConfig;
use florin_kernel::service::{Service, Settings};
use florin_kernel::time::Clock;
use florin_queue::port::{Publisher, Subscriber, Subscription};
use florin_queue::{consumer, relay};
use florin_rabbitmq::{RabbitMq, RabbitMqConfig};
use sqlx::{Executor, Row as _};
use tokio_util::sync::CancellationToken;

use crate::bench::Bench;
use crate::error::{Outcome, Trouble};
use crate::raw_queue::{RawQueue, Taking};
use crate::room::{self, TAKEN};
use crate::row::{Budget, Round, Row};
use crate::servers::{Place, connect};
use crate::statement_log::transactions_of;

pub(super) const NAME: &str = "outbox-to-inbox";

/// The most messages at a time, as the host has it.
const CONCURRENCY: usize = 16;

struct Ours {
    service: Arc<Service>,
    queue: Arc<RabbitMq>,
    place: Place,
}

pub(super) async fn measure(bench: &Bench) -> Outcome<Vec<Row>> {
    let server = bench.postgres().await?;
    let (place, baseline_at) =
        (server.place(&[&room::SERVICE]).await?, server.place(&[&room::SERVICE]).await?);
    let url = bench.rabbitmq().await?;
    let ours = Ours::start(place, &url).await?;
    // One event's own way, to know what its consumer asks of the database.
    let (_, seen) = transactions_of(server, &ours.place, ours.round(1)).await?;
    let taking = Taking::of(&seen)?;
    let bodies = ours.bodies().await?;
    let raw = RawQueue::start(&url, &baseline_at, taking, CONCURRENCY).await?;
    let events = bench.pick(200, 4_000);
    let (a, b) = bench
        .take_turns(async || ours.round(events).await, async || raw.round(&bodies, events).await)
        .await?;
    let row = Row::compared(
        (NAME, "events/s"),
        (
            "outbox -> RabbitMQ (quorum queue) -> consumer with inbox, PostgreSQL",
            "raw lapin with pipelined confirms and the same inserts",
        ),
        Some(Budget::AtLeast(0.6)),
        &a,
        &b,
    );
    let note = format!(
        "{events} events a round; claiming and marking the outbox is ours alone; both in one process of two workers, \
         {CONCURRENCY} messages at a time"
    );
    Ok(vec![row.note(note)])
}

impl Ours {
    async fn start(place: Place, url: &str) -> Outcome<Self> {
        let db = DbConfig::new(place.login.clone(), room::SERVICE.name).connect().await?;
        let network = Arc::new(HttpNetwork::new(HashMap::new(), "")?);
        let service = Service::new(&room::SERVICE, db, Clock::System, network, Settings::default());
        let mut config = RabbitMqConfig::new(url);
        config.prefix = "ours.".to_owned();
        let queue = Arc::new(RabbitMq::connect(config)?);
        queue.declare(&Subscription::of(room::SERVICE.functions).collect::<Vec<_>>()).await?;
        Ok(Self { service, queue, place })
    }

    /// Fills the outbox, then has a relay and a consumer empty it; what counts is the emptying.
    async fn round(&self, events: u64) -> Outcome<Round> {
        let mut left = events;
        while left > 0 {
            let many = left.min(500);
            self.send(many).await?;
            left -= many;
        }
        let (before, stop) = (TAKEN.load(Ordering::Relaxed), CancellationToken::new());
        let began = Instant::now();
        let publisher = Arc::clone(&self.queue) as Arc<dyn Publisher>;
        let relaying = tokio::spawn(relay::run(Arc::clone(&self.service), publisher, stop.clone()));
        let subscriber = Arc::clone(&self.queue) as Arc<dyn Subscriber>;
        let consuming = tokio::spawn(consumer::run_consumers(
            Arc::clone(&self.service),
            subscriber,
            CONCURRENCY,
            stop.clone(),
        ));
        while TAKEN.load(Ordering::Relaxed) < before + events || !self.settled().await? {
            if began.elapsed() > Duration::from_secs(60) {
                return Err(Trouble::failed("events were not taken within a minute"));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let value = per_second(events, began.elapsed());
        stop.cancel();
        relaying.await?;
        consuming.await??;
        Ok(Round { value, ..Round::default() })
    }

    async fn send(&self, many: u64) -> Outcome<()> {
        let function = self.service.function("bench.send_parcels");
        let function = function.ok_or_else(|| Trouble::failed("no function sends parcels"))?;
        let caller = Caller {
            scopes: ["parcels:write".to_owned()].into(),
            ..Caller::system("bench", crate::site::TENANT.parse()?)
        };
        let call = HttpCall {
            caller: Some(caller),
            path: "/v1/parcels".to_owned(),
            path_parameters: Vec::new(),
            query: Vec::new(),
            content_type: Some("application/json".to_owned()),
            read: Ok(Vec::new()),
            body: Bytes::from(format!(r#"{{"many":{many}}}"#)),
            idempotency_key: None,
            request_id: None,
            trace: None,
            deadline: None,
        };
        let answered = self.service.call(function, call).await;
        match answered.status {
            200 => Ok(()),
            status => Err(Trouble::failed(format!("{status} {}", String::from_utf8_lossy(&answered.body)))),
        }
    }

    /// Whether every event is marked as published and every inbox row is committed.
    async fn settled(&self) -> Outcome<bool> {
        let row = connect(&self.place.owner)
            .await?
            .fetch_one(
                "SELECT NOT EXISTS (SELECT FROM bench.florin_outbox WHERE published_at IS NULL)
                     AND (SELECT count(*) FROM bench.florin_outbox) = (SELECT count(*) FROM bench.florin_inbox)",
            )
            .await?;
        Ok(row.get(0))
    }

    /// An event as it stands in the outbox: the baseline's bodies are as long.
    async fn bodies(&self) -> Outcome<Vec<u8>> {
        let row = connect(&self.place.owner)
            .await?
            .fetch_one("SELECT event FROM bench.florin_outbox LIMIT 1")
            .await?;
        Ok(row.get::<String, _>(0).into_bytes())
    }
}

/// So many things in so long.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
