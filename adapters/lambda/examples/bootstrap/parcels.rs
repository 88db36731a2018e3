//! A small service to put behind the Lambda front: it notes parcels that were shipped.

use std::time::Duration;

use florin_kernel::cx::Cx;
use florin_kernel::db::Migration;
use florin_kernel::event::Pattern;
use florin_kernel::function::{EventType, Fact, Function, Job, Reaction};
use florin_kernel::problem::{Class, Code};
use florin_kernel::service::Definition;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) const PARCELS: Definition = Definition {
    name: "parcels",
    summary: "Notes parcels that were shipped.",
    functions: &[Function::reaction::<NoteParcel>(), Function::job::<CountParcels>()],
    events: &[PARCEL_NOTED.entry()],
    migrations: &[Migration { version: 1, name: "parcels", sql: TABLES, contracting: false }],
    audited: false,
};

const TABLES: &str = "CREATE TABLE parcels (
    tenant text NOT NULL,
    id text NOT NULL,
    PRIMARY KEY (tenant, id)
);";

pub(crate) const PARCEL_NOTED: EventType<Noted> =
    EventType::new("florin.parcel.noted.v1", "A parcel was noted.", r#"{"id":"1"}"#);

const NO_SUCH_PARCEL: Code = Code::new("no_such_parcel", Class::NotFound, "There is no such parcel.");

#[derive(Serialize, JsonSchema)]
pub(crate) struct Noted {
    id: String,
}

/// What the test wants of the reaction.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Wish {
    Note,
    Later,
    Never,
    Panic,
    Hang,
}

#[derive(Deserialize)]
struct Shipped {
    wish: Wish,
}

struct NoteParcel;

impl Reaction for NoteParcel {
    const NAME: &'static str = "parcels.note_parcel";
    const ON: &'static [Pattern] = &[Pattern("florin.parcel.shipped.v1")];
    type Data = Shipped;

    async fn run(fact: Fact<Shipped>, cx: &mut Cx) -> Result<(), Stop> {
        let id = fact.event.subject.unwrap_or_default();
        let tenant = cx.tenant();
        cx.sql("INSERT INTO parcels (tenant, id) VALUES ($1, $2)")
            .bind(tenant)
            .bind(id.clone())
            .run()
            .await?;
        cx.emit(PARCEL_NOTED, &id, 1, &Noted { id: id.clone() })?;
        match fact.data.wish {
            Wish::Note => Ok(()),
            Wish::Later => Err(Stop::retry("the order is not here yet")),
            Wish::Never => Err(NO_SUCH_PARCEL.because("it was never ordered").into()),
            Wish::Panic => panic!("a defect"),
            Wish::Hang => std::future::pending().await,
        }
    }
}

struct CountParcels;

impl Job for CountParcels {
    const NAME: &'static str = "parcels.count_parcels";
    const EVERY: Duration = Duration::from_secs(60);
    const DUE: &'static str = "SELECT tenant, id FROM parcels WHERE $1 IS NOT NULL ORDER BY id LIMIT $2";
    const BATCH: i64 = 10;

    async fn run(subject: String, cx: &mut Cx) -> Result<(), Stop> {
        cx.emit(PARCEL_NOTED, &subject, 2, &Noted { id: subject.clone() })
    }
}
