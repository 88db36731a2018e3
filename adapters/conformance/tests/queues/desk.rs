//! The desk: a small service whose reactions count, project, and answer as an event tells them to.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use florin_kernel::answer::Answer;
use florin_kernel::cx::Cx;
use florin_kernel::db::Migration;
use florin_kernel::door::{Access, Door};
use florin_kernel::event::{Event, Pattern};
use florin_kernel::function::{Command, EventType, Fact, Function, Reaction};
use florin_kernel::problem::{Class, Code};
use florin_kernel::service::Definition;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) const TENANT: &str = "acme";

/// Counts every change of a thing.
pub(crate) const TALLY: &str = "desk.tally_thing";
/// Keeps the newest state of a thing.
pub(crate) const PROJECT: &str = "desk.project_thing";
/// Answers as it is told.
pub(crate) const FOLLOW: &str = "desk.follow_answers";
/// Counts what the other one is told.
pub(crate) const TALLY_ANSWER: &str = "desk.tally_answer";

pub(crate) const REACTIONS: &[&str] = &[TALLY, PROJECT, FOLLOW, TALLY_ANSWER];

pub(crate) static DESK: Definition = Definition {
    name: "desk",
    summary: "Counts things, for the suite of queues.",
    functions: &[
        Function::command::<ChangeThing>(),
        Function::reaction::<TallyThing>(),
        Function::reaction::<ProjectThing>(),
        Function::reaction::<FollowAnswers>(),
        Function::reaction::<TallyAnswer>(),
    ],
    events: &[CHANGED.entry()],
    migrations: &[Migration { version: 1, name: "desk", sql: TABLES, contracting: false }],
    audited: false,
};

const TABLES: &str = "
CREATE TABLE tallies (
    tenant text NOT NULL, function text NOT NULL, id text NOT NULL, times bigint NOT NULL, trace text NOT NULL,
    PRIMARY KEY (tenant, function, id));
CREATE TABLE things (
    tenant text NOT NULL, id text NOT NULL, sequence bigint NOT NULL, state text NOT NULL, PRIMARY KEY (tenant, id));
--pg: ALTER TABLE tallies ENABLE ROW LEVEL SECURITY;
--pg: ALTER TABLE tallies FORCE ROW LEVEL SECURITY;
--pg: CREATE POLICY tenant ON tallies TO florin_app USING (tenant = nullif(current_setting('app.tenant', true), ''));
--pg: CREATE POLICY look ON tallies FOR SELECT TO florin_system USING (true);
--pg: ALTER TABLE things ENABLE ROW LEVEL SECURITY;
--pg: ALTER TABLE things FORCE ROW LEVEL SECURITY;
--pg: CREATE POLICY tenant ON things TO florin_app USING (tenant = nullif(current_setting('app.tenant', true), ''));
--pg: CREATE POLICY look ON things FOR SELECT TO florin_system USING (true);
--pg: GRANT SELECT, INSERT, UPDATE ON tallies, things TO florin_app;
--pg: GRANT SELECT ON tallies, things TO florin_system;";

/// A thing after a change.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Thing {
    id: String,
    state: String,
}

const CHANGED: EventType<Thing> = EventType::new("florin.thing.changed.v1", "A thing changed.", "{}");
const TOLD: Code = Code::new("as_told", Class::Conflict, "It was told to refuse.");

/// Change a thing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangeThing {
    id: String,
    state: String,
}

impl Command for ChangeThing {
    const NAME: &'static str = "desk.change_thing";
    const DOOR: Door = Door::post("/v1/things", Access::Scope("things:write"));
    const REFUSES: &'static [Code] = &[];
    type Answer = Thing;

    async fn run(self, cx: &mut Cx) -> Result<Answer<Thing>, Stop> {
        keep(cx, &self.id, 1, &self.state).await?;
        let thing = Thing { id: self.id, state: self.state };
        cx.emit(CHANGED, &thing.id, 1, &thing)?;
        Ok(Answer::Ok(Thing { state: String::new(), ..thing }))
    }
}

async fn keep(cx: &mut Cx, id: &str, sequence: i64, state: &str) -> Result<(), Stop> {
    let tenant = cx.tenant();
    cx.sql(
        "INSERT INTO things (tenant, id, sequence, state)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant, id) DO UPDATE
         SET sequence = $3, state = $4
         WHERE things.sequence < $3",
    )
    .bind(tenant)
    .bind(id.to_owned())
    .bind(sequence)
    .bind(state.to_owned())
    .run()
    .await?;
    Ok(())
}

/// Not idempotent by itself: only the inbox keeps it from counting twice.
async fn tally(cx: &mut Cx, function: &'static str, event: &Event) -> Result<(), Stop> {
    let tenant = cx.tenant();
    cx.sql(
        "INSERT INTO tallies (tenant, function, id, times, trace)
         VALUES ($1, $2, $3, 1, $4)
         ON CONFLICT (tenant, function, id) DO UPDATE
         SET times = tallies.times + 1",
    )
    .bind(tenant)
    .bind(function)
    .bind(event.id.clone())
    .bind(event.extension("traceparent").unwrap_or_default().to_owned())
    .run()
    .await?;
    Ok(())
}

struct TallyThing;
impl Reaction for TallyThing {
    const NAME: &'static str = TALLY;
    const ON: &'static [Pattern] = &[Pattern("florin.thing.*.v1")];
    type Data = Value;
    async fn run(fact: Fact<Value>, cx: &mut Cx) -> Result<(), Stop> {
        tally(cx, TALLY, &fact.event).await
    }
}

struct ProjectThing;
impl Reaction for ProjectThing {
    const NAME: &'static str = PROJECT;
    const ON: &'static [Pattern] = &[Pattern("florin.thing.changed.v1")];
    type Data = Thing;
    async fn run(fact: Fact<Thing>, cx: &mut Cx) -> Result<(), Stop> {
        let sequence = fact.event.sequence().ok_or_else(|| Stop::fault("an event of ours has a sequence"))?;
        keep(cx, &fact.data.id, sequence, &fact.data.state).await
    }
}

/// What a reaction is told to answer, one for each attempt; the last one goes for the rest.
#[derive(Debug, Deserialize)]
struct Told {
    answers: Vec<String>,
}

/// How often each event was tried. A failed attempt leaves nothing in the database that could tell.
static TRIED: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

struct FollowAnswers;
impl Reaction for FollowAnswers {
    const NAME: &'static str = FOLLOW;
    const ON: &'static [Pattern] = &[Pattern("other.answer.told")];
    type Data = Told;
    async fn run(fact: Fact<Told>, cx: &mut Cx) -> Result<(), Stop> {
        // Written and, where it fails, rolled back.
        tally(cx, FOLLOW, &fact.event).await?;
        let attempt = {
            let mut tried = TRIED.lock().unwrap_or_else(PoisonError::into_inner);
            let times = tried.entry(fact.event.id).or_default();
            *times += 1;
            *times - 1
        };
        let answer = fact.data.answers.get(attempt).or(fact.data.answers.last()).map(String::as_str);
        match answer.map(|answer| answer.split_once(' ').unwrap_or((answer, ""))) {
            Some(("done", _)) => Ok(()),
            Some(("refuse", _)) => Err(TOLD.because("as told").into()),
            Some(("retry", ms)) => {
                let after = ms.parse().map(Duration::from_millis).ok();
                Err(Stop::Retry { after, why: "as told".to_owned() })
            }
            other => Err(Stop::fault(format!("nobody knows how to answer {other:?}"))),
        }
    }
}

struct TallyAnswer;
impl Reaction for TallyAnswer {
    const NAME: &'static str = TALLY_ANSWER;
    const ON: &'static [Pattern] = &[Pattern("other.#")];
    type Data = Value;
    async fn run(fact: Fact<Value>, cx: &mut Cx) -> Result<(), Stop> {
        tally(cx, TALLY_ANSWER, &fact.event).await
    }
}
