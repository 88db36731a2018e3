//! The service: it counts orders, confirms what was counted, checks what waits, and calls a peer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use florin_kernel::cx::Cx;
use florin_kernel::db::{DbConfig, Migration, Record as Row, Wall};
use florin_kernel::event::{Data, Event, Pattern};
use florin_kernel::function::{Effect, EventType, Fact, Function, Job, Reaction, Record};
use florin_kernel::network::{Body, Network, Outgoing, Parsed, Request, Response, SendError};
use florin_kernel::service::{Definition, Service, Settings};
use florin_kernel::stop::Stop;
use florin_kernel::time::{Clock, Timestamp};
use florin_queue::embedded::EmbeddedQueue;
use florin_queue::port::{Publisher, Subscriber, Subscription};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) static SHOP: Definition = Definition {
    name: "shop",
    summary: "Counts orders.",
    functions: &[
        Function::reaction::<CountOrder>(),
        Function::reaction::<ConfirmOrder>(),
        Function::reaction::<AnnounceOrder>(),
        Function::job::<CheckOrders>(),
        Function::job::<CheckOrdersDaily>(),
        Function::effect::<RecordCall>(),
    ],
    events: &[COUNTED.entry()],
    migrations: &[Migration {
        version: 1,
        name: "shop",
        sql: "CREATE TABLE tallies (tenant text NOT NULL, id text NOT NULL, kind text NOT NULL,
              times bigint NOT NULL, PRIMARY KEY (tenant, kind, id))",
        contracting: false,
    }],
    audited: false,
};

const COUNTED: EventType<String> =
    EventType::new("florin.order.counted.v1", "An order was counted.", "order_counted.json");

/// Counts how often something happened to something.
async fn tally(cx: &mut Cx, kind: &'static str, id: &str) -> Result<(), Stop> {
    let tenant = cx.tenant();
    cx.sql(
        "INSERT INTO tallies (tenant, id, kind, times)
         VALUES ($1, $2, $3, 1)
         ON CONFLICT (tenant, kind, id) DO UPDATE
         SET times = tallies.times + 1",
    )
    .bind(tenant)
    .bind(id.to_owned())
    .bind(kind)
    .run()
    .await?;
    Ok(())
}

/// An order's event, from somewhere else.
pub(crate) fn ordered(id: &str, verb: &str) -> Event {
    Event {
        id: id.to_owned(),
        source: "/other".to_owned(),
        kind: format!("other.order.{verb}.v1"),
        subject: None,
        time: None,
        dataschema: None,
        extensions: [("tenant".to_owned(), "acme".to_owned())].into(),
        data: Data::None,
    }
}

struct CountOrder;
impl Reaction for CountOrder {
    const NAME: &'static str = "shop.count_order";
    const ON: &'static [Pattern] = &[Pattern("other.order.*.v1")];
    type Data = Value;
    async fn run(fact: Fact<Value>, cx: &mut Cx) -> Result<(), Stop> {
        tally(cx, "counted", &fact.event.id).await?;
        cx.emit(COUNTED, &fact.event.id, 1, &fact.event.id)
    }
}

struct ConfirmOrder;
impl Reaction for ConfirmOrder {
    const NAME: &'static str = "shop.confirm_order";
    const ON: &'static [Pattern] = &[Pattern("florin.order.counted.v1")];
    type Data = String;
    async fn run(fact: Fact<String>, cx: &mut Cx) -> Result<(), Stop> {
        tally(cx, "confirmed", &fact.data).await
    }
}

struct AnnounceOrder;
impl Reaction for AnnounceOrder {
    const NAME: &'static str = "shop.announce_order";
    const ON: &'static [Pattern] = &[Pattern("other.order.loud.v1")];
    type Data = Value;
    async fn run(fact: Fact<Value>, cx: &mut Cx) -> Result<(), Stop> {
        cx.ask(&Call { order: fact.event.id.clone() }, &fact.event.id)
    }
}

struct CheckOrders;
impl Job for CheckOrders {
    const NAME: &'static str = "shop.check_orders";
    const EVERY: Duration = Duration::from_secs(10);
    const DUE: &'static str = "SELECT tenant, id FROM tallies WHERE kind = 'counted' AND $1 <> '' LIMIT $2";
    const BATCH: i64 = 10;
    async fn run(subject: String, cx: &mut Cx) -> Result<(), Stop> {
        tally(cx, "checked", &subject).await
    }
}

struct CheckOrdersDaily;
impl Job for CheckOrdersDaily {
    const NAME: &'static str = "shop.check_orders_daily";
    const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
    const DUE: &'static str = CheckOrders::DUE;
    const BATCH: i64 = 10;
    async fn run(subject: String, cx: &mut Cx) -> Result<(), Stop> {
        tally(cx, "checked daily", &subject).await
    }
}

#[derive(Serialize, Deserialize)]
struct Call {
    order: String,
}
impl Effect for Call {
    const NAME: &'static str = "shop.call";
    const PEER: &'static str = "town_crier";
    const PEER_HONOURS_KEY: bool = true;
    const TIMEOUT: Duration = Duration::from_secs(5);
    const MAX_AGE: Duration = Duration::from_secs(3_600);
    type Outcome = String;
    fn key(&self) -> String {
        self.order.clone()
    }
    fn build(&self) -> Request {
        Request { method: "POST", path: "/calls".to_owned(), headers: Vec::new(), body: Body::Empty }
    }
    fn parse(&self, _: u32, _: &Response) -> Parsed<String> {
        Parsed::Outcome("heard".to_owned())
    }
}

struct RecordCall;
impl Record for RecordCall {
    const NAME: &'static str = "shop.record_call";
    type Effect = Call;
    async fn run(call: Call, _: String, cx: &mut Cx) -> Result<(), Stop> {
        tally(cx, "called", &call.order).await
    }
    async fn unresolved(_: Call, _: &mut Cx) -> Result<(), Stop> {
        Ok(())
    }
}

/// A peer that is not there the first time.
#[derive(Default)]
struct Peer(AtomicUsize);
impl Network for Peer {
    fn send(&self, _: Outgoing) -> BoxFuture<'_, Result<Response, SendError>> {
        let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move {
            if first {
                return Err(SendError::NotSent("nobody listens".to_owned()));
            }
            Ok(Response { status: 200, body: Vec::new() })
        })
    }
}

/// The start of a day, so that the first seconds of a test begin no slot.
pub(crate) fn clock() -> Clock {
    Clock::standing_at(Timestamp::from_micros(1_780_000_000_000_000).slot(CheckOrdersDaily::EVERY))
}

pub(crate) async fn shop(directory: &Path, clock: &Clock, settings: Settings) -> Arc<Service> {
    let url = format!("sqlite://{}", directory.join("shop.db").display());
    let db = DbConfig::new(url, "shop").connect().await.unwrap();
    let service = Service::new(&SHOP, db, clock.clone(), Arc::new(Peer::default()), settings);
    service.migrate().await.unwrap();
    service
}

pub(crate) async fn queue(directory: &Path, clock: &Clock) -> Arc<EmbeddedQueue> {
    let queue = EmbeddedQueue::open(directory, clock.clone()).await.unwrap();
    let subscriptions: Vec<Subscription> = Subscription::of(SHOP.functions).collect();
    queue.declare(&subscriptions).await.unwrap();
    queue
}

/// Publishes an order from somewhere else.
pub(crate) async fn order(queue: &EmbeddedQueue, id: &str, verb: &str) {
    queue.publish(&[ordered(id, verb)]).await.pop().unwrap().unwrap();
}

/// The rows of a statement on the service's database.
pub(crate) async fn rows<T: Row>(service: &Service, sql: &'static str) -> Vec<T> {
    service.db.read(Wall::System).await.unwrap().sql(sql).all().await.unwrap()
}

/// How many different things of this kind are tallied, and how often together.
pub(crate) async fn tallied(service: &Service, kind: &str) -> (i64, i64) {
    let all: Vec<(String, i64)> = rows(service, "SELECT kind, times FROM tallies").await;
    let of_kind = all.iter().filter(|(of, _)| of == kind);
    of_kind.fold((0, 0), |(things, times), (_, more)| (things + 1, times + more))
}

/// Waits until it is so, looking again and again without taking the processor from those it waits for.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, so: impl Fn() -> F) {
    let waiting = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .unwrap_or_else(|_| panic!("this never came: {what}"));
}
