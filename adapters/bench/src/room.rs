//! Two rooms that only the benchmarks need: a public query that reads nothing, and a reaction that does nothing.

use std::sync::atomic::{AtomicU64, Ordering};

use florin_kernel::answer::Answer;
use florin_kernel::cx::{Cx, View};
use florin_kernel::door::{Access, Door};
use florin_kernel::event::Pattern;
use florin_kernel::function::{Command, EventType, Fact, Function, Query, Reaction};
use florin_kernel::id::{Id, Kind};
use florin_kernel::problem::Code;
use florin_kernel::service::Definition;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the public query answers, to the byte.
pub const PONG: &str = r#"{"tenant":"bench","says":"pong","version":1}"#;

/// The path of the public query.
pub const PING: &str = "/v1/ping/bench";

/// Say that somebody is there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ping {
    tenant: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Pong {
    tenant: String,
    says: &'static str,
    version: i64,
}

impl Query for Ping {
    const NAME: &'static str = "bench.ping";
    const DOOR: Door = Door::get("/v1/ping/{tenant}", Access::Public);
    const REFUSES: &'static [Code] = &[];
    type Answer = Pong;

    async fn run(self, _: &mut View) -> Result<Answer<Pong>, Stop> {
        Ok(Answer::Ok(Pong { tenant: self.tenant, says: "pong", version: 1 }))
    }
}

/// A parcel's state, about as large as a payment's.
#[derive(Debug, Serialize, JsonSchema)]
struct Parcel {
    number: i64,
    label: &'static str,
}

const LABEL: &str = "six hundred bytes or so, as a payment has: \
    ................................................................................................................\
    ................................................................................................................\
    ................................................................................................................\
    ................................................................................................................\
    ................................................................................................................";

const SENT: EventType<Parcel> =
    EventType::new("florin.bench.parcel.sent.v1", "A parcel was sent.", r#"{"number":1,"label":""}"#);

enum ParcelKind {}
impl Kind for ParcelKind {
    const PREFIX: &'static str = "par";
}

/// Put events into the outbox.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SendParcels {
    many: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Sent {
    sent: i64,
}

impl Command for SendParcels {
    const NAME: &'static str = "bench.send_parcels";
    const DOOR: Door = Door::post("/v1/parcels", Access::Scope("parcels:write"));
    const REFUSES: &'static [Code] = &[];
    type Answer = Sent;

    async fn run(self, cx: &mut Cx) -> Result<Answer<Sent>, Stop> {
        for number in 0..self.many {
            let parcel: Id<ParcelKind> = cx.new_id();
            cx.emit(SENT, parcel, 1, &Parcel { number, label: LABEL })?;
        }
        Ok(Answer::Ok(Sent { sent: self.many }))
    }
}

/// How many parcels this process has taken.
pub static TAKEN: AtomicU64 = AtomicU64::new(0);

struct TakeParcel;

#[derive(Deserialize)]
struct Seen {
    #[expect(dead_code, reason = "only parsed")]
    number: i64,
}

impl Reaction for TakeParcel {
    const NAME: &'static str = "bench.take_parcel";
    const ON: &'static [Pattern] = &[Pattern("florin.bench.parcel.sent.v1")];
    type Data = Seen;

    async fn run(_: Fact<Seen>, _: &mut Cx) -> Result<(), Stop> {
        TAKEN.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// The service of these rooms.
pub const SERVICE: Definition = Definition {
    name: "bench",
    summary: "What the benchmarks measure beside the real services.",
    functions: &[
        Function::query::<Ping>(),
        Function::command::<SendParcels>(),
        Function::reaction::<TakeParcel>(),
    ],
    events: &[SENT.entry()],
    migrations: &[],
    audited: false,
};
