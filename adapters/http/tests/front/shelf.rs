//! A service of books on a shelf, whose rooms can be told to misbehave.

use florin_kernel::answer::Answer;
use florin_kernel::cx::{Cx, View};
use florin_kernel::db::Migration;
use florin_kernel::door::{Access, Door};
use florin_kernel::function::{Command, Function, Query};
use florin_kernel::id::{Id, Kind};
use florin_kernel::problem::Code;
use florin_kernel::service::Definition;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

enum BookKind {}
impl Kind for BookKind {
    const PREFIX: &'static str = "book";
}

#[derive(Serialize, JsonSchema)]
struct Book {
    title: String,
}

/// Put a book on the shelf.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PutBook {
    title: String,
    #[serde(default)]
    pages: i64,
    #[serde(default)]
    #[expect(dead_code, reason = "only parsed")]
    chapters: Vec<String>,
}

impl Command for PutBook {
    const NAME: &'static str = "shelf.put_book";
    const DOOR: Door = Door::post("/v1/books", Access::Scope("books:write")).creating();
    const REFUSES: &'static [Code] = &[];
    type Answer = Book;

    async fn run(self, cx: &mut Cx) -> Result<Answer<Book>, Stop> {
        let (tenant, id): (_, Id<BookKind>) = (cx.tenant(), cx.new_id());
        cx.sql("INSERT INTO books (id, tenant, title, pages) VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(tenant)
            .bind(self.title.clone())
            .bind(self.pages)
            .run()
            .await?;
        Ok(Answer::Created { location: format!("/v1/books/{id}"), body: Book { title: self.title } })
    }

    async fn answer(_: &mut View, _: &str) -> Result<Answer<Book>, Stop> {
        Err(Stop::fault("no book waits"))
    }
}

/// List the books.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListBooks {
    #[serde(default)]
    limit: Option<i64>,
}

impl Query for ListBooks {
    const NAME: &'static str = "shelf.list_books";
    const DOOR: Door = Door::get("/v1/books", Access::Scope("books:read"));
    const REFUSES: &'static [Code] = &[];
    type Answer = Vec<Book>;

    async fn run(self, cx: &mut View) -> Result<Answer<Vec<Book>>, Stop> {
        let tenant = cx.tenant();
        let rows: Vec<(String,)> = cx
            .sql("SELECT title FROM books WHERE tenant = $1 ORDER BY id LIMIT $2")
            .bind(tenant)
            .bind(self.limit.unwrap_or(100))
            .all()
            .await?;
        Ok(Answer::Ok(rows.into_iter().map(|(title,)| Book { title }).collect()))
    }
}

/// Read a book: its title is what the path says, so that a test sees what arrived.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadBook {
    title: String,
}

/// Those who read this book wait here until a test lets them go.
pub(crate) struct Gate {
    title: &'static str,
    entered: Semaphore,
    open: Semaphore,
}

impl Gate {
    const fn of(title: &'static str) -> Self {
        Self { title, entered: Semaphore::const_new(0), open: Semaphore::const_new(0) }
    }

    /// The path of the book.
    pub(crate) fn path(&self) -> String {
        format!("/v1/books/{}", self.title)
    }

    /// Waits until one more reader waits.
    pub(crate) async fn entered(&self) {
        self.entered.acquire().await.unwrap().forget();
    }

    /// Lets so many readers go.
    pub(crate) fn open(&self, readers: usize) {
        self.open.add_permits(readers);
    }

    async fn pass(&self) {
        self.entered.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }
}

// One for each test that needs one: tests run beside each other.
pub(crate) static FULL: Gate = Gate::of("a-full-house");
pub(crate) static FLIGHT: Gate = Gate::of("in-flight");
pub(crate) static PATIENCE: Gate = Gate::of("never-ending");
pub(crate) static STREAMS: Gate = Gate::of("reset-again");
pub(crate) static LEAVING: Gate = Gate::of("leaving-early");
static GATES: [&Gate; 5] = [&FULL, &FLIGHT, &PATIENCE, &STREAMS, &LEAVING];

impl Query for ReadBook {
    const NAME: &'static str = "shelf.read_book";
    const DOOR: Door = Door::get("/v1/books/{title}", Access::Scope("books:read"));
    const REFUSES: &'static [Code] = &[];
    type Answer = Book;

    async fn run(self, _: &mut View) -> Result<Answer<Book>, Stop> {
        match self.title.as_str() {
            "panic" => panic!("as told, with the secret pa55word"),
            "fault" => return Err(Stop::fault("as told, with the secret pa55word")),
            "endless" => std::future::pending().await,
            title => {
                if let Some(gate) = GATES.iter().find(|gate| gate.title == title) {
                    gate.pass().await;
                }
            }
        }
        Ok(Answer::Ok(Book { title: self.title }))
    }
}

/// Look from outside.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LookIn {
    tenant: String,
}

impl Query for LookIn {
    const NAME: &'static str = "shelf.look_in";
    const DOOR: Door = Door::get("/v1/windows/{tenant}", Access::Public);
    const REFUSES: &'static [Code] = &[];
    type Answer = Book;

    async fn run(self, _: &mut View) -> Result<Answer<Book>, Stop> {
        Ok(Answer::Ok(Book { title: self.tenant }))
    }
}

/// The service.
pub(crate) const SHELF: Definition = Definition {
    name: "shelf",
    summary: "Books, for the front's tests.",
    functions: &[
        Function::command::<PutBook>(),
        Function::query::<ListBooks>(),
        Function::query::<ReadBook>(),
        Function::query::<LookIn>(),
    ],
    events: &[],
    migrations: &[Migration {
        version: 1,
        name: "books",
        sql: "CREATE TABLE books (id text PRIMARY KEY, tenant text NOT NULL, title text NOT NULL, pages bigint NOT NULL);",
        contracting: false,
    }],
    audited: true,
};
