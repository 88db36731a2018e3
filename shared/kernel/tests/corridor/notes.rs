//! A service of notes: every kind of room, each as small as it can be.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use florin_kernel::answer::Answer;
use florin_kernel::cx::{Cx, View};
use florin_kernel::db::{DbError, Migration, Trouble};
use florin_kernel::door::{Access, Door};
use florin_kernel::event::Pattern;
use florin_kernel::function::{Command, Effect, EventType, Fact, Function, Job, Query, Reaction, Record};
use florin_kernel::id::{Id, Kind};
use florin_kernel::network::{Body, Parsed, Request, Response};
use florin_kernel::problem::{Class, Code};
use florin_kernel::service::Definition;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) enum NoteKind {}
impl Kind for NoteKind {
    const PREFIX: &'static str = "note";
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Note {
    text: String,
}

const WRITTEN: EventType<Note> = EventType::new("florin.note.written.v1", "A note was written.", "{}");
const NOT_WANTED: Code = Code::new("note_not_wanted", Class::Conflict, "This note is not wanted.");

/// How a room is told to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Ending {
    #[default]
    Well,
    Refuse,
    Fault,
    Panic,
    /// Every other time: what a serialization failure looks like.
    ContendedOnce,
    ContendedAlways,
    Slow,
    /// With an event about something whose name no reader takes.
    NamedTooLong,
}

/// Write a note.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WriteNote {
    text: String,
    #[serde(default)]
    ending: Ending,
    #[serde(default)]
    ring: bool,
}

static RUNS: AtomicU32 = AtomicU32::new(0);

impl Command for WriteNote {
    const NAME: &'static str = "notes.write_note";
    const DOOR: Door = Door::post("/notes", Access::Scope("notes:write")).creating().waiting();
    const REFUSES: &'static [Code] = &[NOT_WANTED];
    type Answer = Note;

    async fn run(self, cx: &mut Cx) -> Result<Answer<Note>, Stop> {
        let id = insert(cx, &self.text).await?;
        cx.emit(WRITTEN, id, 1, &Note { text: self.text.clone() })?;
        if self.ring || self.ending != Ending::Well {
            cx.ask(&RingBell { note: id, text: self.text.clone() }, id)?;
        }
        match self.ending {
            Ending::Well => {}
            Ending::Refuse => return Err(NOT_WANTED.because("as told").into()),
            Ending::Fault => return Err(Stop::fault("as told, with the secret pa55word")),
            Ending::Panic => panic!("as told, with the secret pa55word"),
            Ending::ContendedOnce if RUNS.fetch_add(1, Ordering::SeqCst) % 2 == 1 => {}
            Ending::ContendedOnce | Ending::ContendedAlways => {
                return Err(DbError::said(Trouble::Contended, "as told").into());
            }
            Ending::Slow => std::future::pending().await,
            Ending::NamedTooLong => {
                cx.emit(WRITTEN, "x".repeat(1_025), 1, &Note { text: self.text.clone() })?;
            }
        }
        if self.ring {
            return Ok(Answer::Waiting { subject: id.to_string() });
        }
        Ok(Answer::Created { location: format!("/notes/{id}"), body: Note { text: self.text } })
    }

    async fn answer(cx: &mut View, subject: &str) -> Result<Answer<Note>, Stop> {
        let tenant = cx.tenant();
        let (text,): (String,) = cx
            .sql("SELECT text FROM notes WHERE tenant = $1 AND id = $2")
            .bind(tenant)
            .bind(subject.to_owned())
            .one()
            .await?;
        if text == "unreadable" {
            return Err(Stop::fault("as told"));
        }
        Ok(Answer::Ok(Note { text }))
    }
}

pub(crate) async fn insert(cx: &mut Cx, text: &str) -> Result<Id<NoteKind>, Stop> {
    let (tenant, id): (_, Id<NoteKind>) = (cx.tenant(), cx.new_id());
    cx.sql("INSERT INTO notes (id, tenant, text) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(tenant)
        .bind(text.to_owned())
        .run()
        .await?;
    Ok(id)
}

/// List notes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListNotes {
    /// Leave out the tenant, as a careless room would.
    #[serde(default)]
    careless: bool,
}

impl Query for ListNotes {
    const NAME: &'static str = "notes.list_notes";
    const DOOR: Door = Door::get("/notes", Access::Scope("notes:read"));
    const REFUSES: &'static [Code] = &[];
    type Answer = Vec<Note>;

    async fn run(self, cx: &mut View) -> Result<Answer<Vec<Note>>, Stop> {
        let tenant = cx.tenant();
        let rows: Vec<(String,)> = if self.careless {
            cx.sql("SELECT text FROM notes ORDER BY id").all().await?
        } else {
            cx.sql("SELECT text FROM notes WHERE tenant = $1 ORDER BY id").bind(tenant).all().await?
        };
        Ok(Answer::Ok(rows.into_iter().map(|(text,)| Note { text }).collect()))
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RingBell {
    note: Id<NoteKind>,
    text: String,
}

impl Effect for RingBell {
    const NAME: &'static str = "notes.ring_bell";
    const PEER: &'static str = "card";
    const PEER_HONOURS_KEY: bool = false;
    const TIMEOUT: Duration = Duration::from_secs(5);
    const MAX_AGE: Duration = Duration::from_secs(60 * 60);
    type Outcome = u16;

    fn key(&self) -> String {
        self.note.to_string()
    }
    fn build(&self) -> Request {
        Request {
            method: "GET",
            path: "/v1/records/summary".to_owned(),
            headers: Vec::new(),
            body: Body::Empty,
        }
    }
    fn parse(&self, step: u32, response: &Response) -> Parsed<u16> {
        match (self.text.as_str(), step) {
            ("twice", 0) => Parsed::Further(self.build()),
            _ => Parsed::Outcome(response.status),
        }
    }
}

/// What a bell says that somebody must look at.
const CRACKED: u16 = 299;

struct RecordBell;

impl Record for RecordBell {
    const NAME: &'static str = "notes.record_bell";
    type Effect = RingBell;

    async fn run(effect: RingBell, outcome: u16, cx: &mut Cx) -> Result<(), Stop> {
        if outcome == CRACKED {
            cx.needs_review("the bell is cracked");
        }
        rung(effect, outcome.to_string(), cx).await
    }
    async fn unresolved(effect: RingBell, cx: &mut Cx) -> Result<(), Stop> {
        rung(effect, "unresolved".to_owned(), cx).await
    }
}

async fn rung(effect: RingBell, how: String, cx: &mut Cx) -> Result<(), Stop> {
    let tenant = cx.tenant();
    cx.sql("UPDATE notes SET text = $3 WHERE tenant = $1 AND id = $2")
        .bind(tenant)
        .bind(effect.note)
        .bind(format!("{} rang: {how}", effect.text))
        .run()
        .await?;
    Ok(())
}

/// What a reaction reads of an event.
#[derive(Deserialize)]
struct Heard {
    text: String,
}

struct CopyNote;

impl Reaction for CopyNote {
    const NAME: &'static str = "notes.copy_note";
    const ON: &'static [Pattern] = &[Pattern("florin.heard.v1")];
    type Data = Heard;

    async fn run(fact: Fact<Heard>, cx: &mut Cx) -> Result<(), Stop> {
        insert(cx, &fact.data.text).await?;
        match fact.data.text.as_str() {
            "retry" => Err(Stop::retry("an earlier fact is missing")),
            "refuse" => Err(NOT_WANTED.because("as told").into()),
            "fault" => Err(Stop::fault("as told")),
            "panic" => panic!("as told"),
            "away" => Err(DbError::said(Trouble::Away, "as told").into()),
            _ => Ok(()),
        }
    }
}

struct AgeNotes;

impl Job for AgeNotes {
    const NAME: &'static str = "notes.age_notes";
    const EVERY: Duration = Duration::from_secs(60);
    const DUE: &'static str = "SELECT tenant, id FROM notes WHERE $1 = $1 ORDER BY id LIMIT $2";
    const BATCH: i64 = 10;

    async fn run(subject: String, cx: &mut Cx) -> Result<(), Stop> {
        let tenant = cx.tenant();
        let (text,): (String,) = cx
            .sql("SELECT text FROM notes WHERE tenant = $1 AND id = $2")
            .bind(tenant.clone())
            .bind(subject.clone())
            .one()
            .await?;
        if text == "stubborn" {
            return Err(Stop::fault("as told"));
        }
        cx.sql("UPDATE notes SET text = $3 WHERE tenant = $1 AND id = $2")
            .bind(tenant)
            .bind(subject)
            .bind(format!("{text}, older"))
            .run()
            .await?;
        Ok(())
    }
}

struct StampNotes;

impl Job for StampNotes {
    const NAME: &'static str = "notes.stamp_notes";
    const EVERY: Duration = Duration::from_secs(60);
    const DUE: &'static str =
        "SELECT tenant, id FROM notes WHERE $1 = $1 AND text LIKE 'blank%' ORDER BY id LIMIT $2";
    const BATCH: i64 = 2;

    async fn run(subject: String, cx: &mut Cx) -> Result<(), Stop> {
        let tenant = cx.tenant();
        let changed = cx
            .sql("UPDATE notes SET text = 'stamped' WHERE tenant = $1 AND id = $2 AND text <> 'blank, torn'")
            .bind(tenant)
            .bind(subject)
            .run()
            .await?;
        if changed == 1 { Ok(()) } else { Err(Stop::fault("as told")) }
    }
}

pub(crate) const NOTES: Definition = Definition {
    name: "notes",
    summary: "Notes, for the corridor's tests.",
    functions: &[
        Function::command::<WriteNote>(),
        Function::query::<ListNotes>(),
        Function::reaction::<CopyNote>(),
        Function::job::<AgeNotes>(),
        Function::job::<StampNotes>(),
        Function::effect::<RecordBell>(),
    ],
    events: &[WRITTEN.entry()],
    migrations: &[Migration {
        version: 1,
        name: "notes",
        sql: "CREATE TABLE notes (id text PRIMARY KEY, tenant text NOT NULL, text text NOT NULL);
--pg: ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
--pg: ALTER TABLE notes FORCE ROW LEVEL SECURITY;
--pg: CREATE POLICY tenant ON notes TO florin_app USING (tenant = nullif(current_setting('app.tenant', true), ''));
--pg: CREATE POLICY age ON notes FOR SELECT TO florin_system USING (true);
--pg: GRANT SELECT, INSERT, UPDATE ON notes TO florin_app;
--pg: GRANT SELECT ON notes TO florin_system;",
        contracting: false,
    }],
    audited: true,
};

/// The texts of a tenant's notes.
pub(crate) async fn texts(client: &florin_testkit::suite::Client) -> Vec<String> {
    let listed = client.get("/notes").await;
    let notes = listed.body.as_array().unwrap_or_else(|| panic!("{listed:?}")).clone();
    notes.iter().map(|note| note["text"].as_str().unwrap_or_default().to_owned()).collect()
}
