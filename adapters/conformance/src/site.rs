//! A deployment of a test's own: database, sandbox, broker, and `florin` processes.

use std::path::{Path, PathBuf};

use florin_host::services::SERVICES;
use florin_servers::Part;
use florin_sqs::SqsConfig;
use florin_testkit::suite::{Database, Engine};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use crate::client::Client;
use crate::depth;
use crate::process::{Environment, Program};
use crate::rows::Rows;
use crate::sandbox::SandboxProcess;
use crate::server::Server;

/// Opens the guarded door.
pub const DELIVERY_SECRET: &str = "a-secret-that-only-the-platform-knows";

/// How events travel.
#[derive(Clone, Debug)]
pub enum Broker {
    /// The embedded queue.
    Embedded,
    /// The RabbitMQ of the test run.
    RabbitMq,
    /// A RabbitMQ of the test's own, at this address.
    OwnRabbitMq(String),
    /// The SQS of the test run.
    Sqs,
    /// The SNS and the SQS of the test run: events go to a topic and are taken from queues.
    SqsWithTopic,
    /// CloudEvents over HTTP, to this address.
    Http(String),
}

/// A deployment. Dropped, its processes end and its files go.
pub struct Site {
    /// The provider.
    pub sandbox: SandboxProcess,
    /// The database.
    pub database: Database,
    broker: Broker,
    program: Program,
    environment: Environment,
    directory: tempfile::TempDir,
}

impl Site {
    /// A deployment that is configured, migrated and not running; none where a part is not to be had.
    pub async fn new(engine: Engine, broker: &Broker) -> Option<Self> {
        let directory = scratch();
        let queue = queue_url(broker)?;
        let database = Database::create(engine, &data_of(&directory)).await?;
        Some(Self::on(directory, database, broker, queue).await)
    }

    /// As [`Site::new`], on a PostgreSQL of the test's own, which a superuser's address names.
    pub async fn on_server(url: &str, broker: &Broker) -> Option<Self> {
        let queue = queue_url(broker)?;
        let database = Database::on_server(url).await?;
        Some(Self::on(scratch(), database, broker, queue).await)
    }

    async fn on(
        directory: tempfile::TempDir,
        database: Database,
        broker: &Broker,
        queue: Environment,
    ) -> Self {
        let mut environment = vec![
            ("FLORIN_DATA".to_owned(), data_of(&directory).display().to_string()),
            ("FLORIN_DATABASE_CONNECTIONS".to_owned(), "4".to_owned()),
            ("FLORIN_LOG".to_owned(), "info,sqlx=warn,lapin=warn,hyper=warn,h2=warn,aws=warn".to_owned()),
        ];
        environment.extend(queue);
        if let Database::Postgres { login, .. } = &database {
            environment.push(("FLORIN_DATABASE_URL".to_owned(), login.clone()));
        }
        let sandbox = SandboxProcess::start(directory.path()).await;
        let (broker, program) = (broker.clone(), Program::UNDER_TEST);
        let mut site = Self { sandbox, database, broker, program, environment, directory };
        site.migrate();
        if let Database::Postgres { owner, login } = &site.database {
            admit(owner, login).await;
        }
        site.set("FLORIN_CARD_URL", site.sandbox.base().to_owned());
        site
    }

    /// The deployment as one of another program, whose services may be more.
    #[must_use]
    pub fn of(mut self, program: Program) -> Self {
        self.program = program;
        self.migrate();
        self
    }

    /// A server's database is migrated by its owner; an embedded one migrates itself.
    fn migrate(&self) {
        if let Database::Postgres { owner, .. } = &self.database {
            self.command(&["migrate", "--database-url", owner]);
        }
    }

    /// Changes a setting for the processes that are started from now on.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
    }

    /// A setting of every process; empty where it has none.
    pub fn setting(&self, name: &str) -> String {
        let mut settings = self.environment.iter();
        settings.find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The settings of every process.
    pub fn environment(&self) -> Environment {
        self.environment.clone()
    }

    /// The settings of every process, and some of one alone.
    pub fn environment_with(&self, more: &[(&str, &str)]) -> Environment {
        let mut environment = self.environment();
        environment.retain(|(known, _)| !more.iter().any(|(name, _)| name == known));
        environment.extend(more.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        environment
    }

    /// The scratch directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        data_of(&self.directory)
    }

    /// A data directory for a process beside the site's own: each has one serving process. Its key is the site's, so
    /// that both accept the same tokens.
    ///
    /// # Panics
    /// When it is there already.
    pub fn another_data_directory(&self, name: &str) -> PathBuf {
        // The first token makes the key.
        self.token("acme");
        let data = self.directory().join(name);
        std::fs::create_dir(&data).expect("a data directory");
        let key = "development-key.json";
        std::fs::copy(self.data().join(key), data.join(key)).expect("the key is there");
        data
    }

    /// A process that serves everything, ready.
    pub async fn serve(&self) -> Server {
        self.serve_with("florin", &[]).await
    }

    /// A process with settings of its own, ready.
    pub async fn serve_with(&self, name: &str, settings: &[(&str, &str)]) -> Server {
        self.spawn_with(name, settings).ready().await
    }

    /// A process with settings of its own, which may not be ready yet.
    pub fn spawn_with(&self, name: &str, settings: &[(&str, &str)]) -> Server {
        Server::spawn(name, self.environment_with(settings), self.directory())
    }

    /// What its processes run.
    pub fn program(&self) -> Program {
        self.program
    }

    /// What a command of the binary prints when it succeeds.
    pub fn command(&self, arguments: &[&str]) -> String {
        self.program.output_of(arguments, &self.environment, self.directory())
    }

    /// A development token for a tenant, with every scope.
    pub fn token(&self, tenant: &str) -> String {
        let printed = self.command(&["token", "--tenant", tenant, "--subject", "tester"]);
        printed.trim_end().to_owned()
    }

    /// Somebody with every scope in a tenant, at one process.
    pub fn client(&self, server: &Server, tenant: &str) -> Client {
        Client::new(server.base(), Some(self.token(tenant)))
    }

    /// The rows of a service.
    pub fn rows(&self, service: &'static str) -> Rows {
        Rows::new(&self.database, service)
    }

    /// The rows of a service whose process has a data directory of its own.
    pub fn rows_at(&self, data: &Path, service: &'static str) -> Rows {
        match &self.database {
            Database::Sqlite(_) => Rows::new(&Database::Sqlite(data.to_owned()), service),
            Database::Postgres { .. } => self.rows(service),
        }
    }

    /// How many messages the broker still holds for any function. What consumers of RabbitMQ were handed does not
    /// count, and a sink of the test's confirms only what its function took.
    pub async fn waiting(&self) -> u64 {
        if matches!(self.broker, Broker::Embedded) {
            return depth::embedded(&self.data(), None).await;
        }
        let mut waiting = 0;
        for subscription in florin_host::queue::subscriptions(SERVICES) {
            let (function, url) = (subscription.function, self.setting("FLORIN_QUEUE_URL"));
            waiting += match &self.broker {
                Broker::RabbitMq | Broker::OwnRabbitMq(_) => {
                    depth::rabbitmq(&url, &self.setting("FLORIN_QUEUE_PREFIX"), function).await
                }
                Broker::Sqs | Broker::SqsWithTopic => {
                    let config: SqsConfig = url.parse().expect("an address of SQS");
                    let endpoint = config.endpoint.as_deref().unwrap_or_default();
                    depth::sqs(endpoint, &config.queue_name(function)).await
                }
                Broker::Embedded | Broker::Http(_) => 0,
            };
        }
        waiting
    }

    /// How many events are committed and not published, by `florin outbox`.
    ///
    /// # Panics
    /// When the command says something else than it should.
    pub fn unpublished(&self) -> u64 {
        let printed = self.command(&["outbox"]);
        let waiting = |line: &str| line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok());
        printed.lines().map(|line| waiting(line).unwrap_or_else(|| panic!("{printed}"))).sum()
    }
}

fn scratch() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a scratch directory");
    std::fs::create_dir(data_of(&directory)).expect("a data directory");
    directory
}

fn data_of(directory: &tempfile::TempDir) -> PathBuf {
    directory.path().join("data")
}

fn queue_url(broker: &Broker) -> Option<Environment> {
    let setting = |name: &str, value: String| (name.to_owned(), value);
    // Names of this test's own, on servers that others use too.
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let unique = scratch.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let unique: String = unique.chars().filter(char::is_ascii_alphanumeric).collect();
    Some(match broker {
        Broker::Embedded => Vec::new(),
        Broker::RabbitMq => vec![
            setting("FLORIN_QUEUE_URL", Part::RabbitMq.needed()?),
            setting("FLORIN_QUEUE_PREFIX", format!("{unique}.")),
        ],
        Broker::OwnRabbitMq(url) => vec![setting("FLORIN_QUEUE_URL", url.clone())],
        Broker::Sqs | Broker::SqsWithTopic => {
            let endpoint = Part::Sqs.needed()?;
            let mut url = format!("sqs://eu-central-1/{unique}?endpoint={endpoint}&create=true&wait_s=1");
            if matches!(broker, Broker::SqsWithTopic) {
                url += &format!("&topic_arn=arn:aws:sns:eu-central-1:123456789012:{unique}");
            }
            vec![setting("FLORIN_QUEUE_URL", url)]
        }
        Broker::Http(sink) => vec![setting("FLORIN_QUEUE_URL", sink.clone())],
    })
}

/// Lets the login of the services take the two roles that the migration made, and nothing else.
async fn admit(owner: &str, login: &str) {
    let name = login.parse::<PgConnectOptions>().expect("an address").get_username().to_owned();
    let options: PgConnectOptions = owner.parse().expect("an address of PostgreSQL");
    let mut on = options.connect().await.expect("PostgreSQL answers");
    // Roles belong to the server: tests that start together take turns.
    on.execute(AssertSqlSafe(format!(
        "DO $$ BEGIN
             PERFORM pg_advisory_xact_lock(64);
             IF NOT pg_has_role('{name}', 'florin_app', 'MEMBER') THEN
                 GRANT florin_app, florin_system TO {name};
             END IF;
         EXCEPTION WHEN OTHERS THEN
             IF NOT pg_has_role('{name}', 'florin_app', 'MEMBER') THEN RAISE; END IF;
         END $$"
    )))
    .await
    .expect("the login joins the roles");
    on.close().await.expect("the connection closes");
}
