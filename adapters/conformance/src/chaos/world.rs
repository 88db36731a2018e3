//! A deployment that a run is about: servers, wires, processes, and the doors to them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use florin_host::config::Config;
use florin_host::queue::{Broker as HostBroker, subscriptions};
use florin_kernel::event::{Data, Event};
use florin_kernel::failpoint;
use florin_kernel::time::Clock;
use florin_queue::port::Publisher;
use florin_servers::{Part, Postgres, RabbitMq, StartError};
use florin_sqs::SqsConfig;
use florin_testkit::suite::Engine;
use serde_json::json;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::task::JoinSet;

use super::awkward_provider::AwkwardProvider;
use super::control::Control;
use super::crew::{Crew, Ends};
use super::door::{Door, Way};
use super::functions::{Environment, Functions};
use super::logs::Logs;
use super::platform::{self, Poller};
use super::queue_service::QueueService;
use super::sink::Sink;
use crate::client::Client;
use crate::issuer::Issuer;
use crate::process::Program;
use crate::site::{Broker, Site};
use crate::tally;
use crate::wire::Wire;

/// A set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Containers, PostgreSQL and RabbitMQ.
    PostgresRabbitmq,
    /// One process with everything inside.
    SqliteEmbedded,
    /// Functions, PostgreSQL and SQS.
    LambdaSqs,
}

impl On {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SqliteEmbedded, Self::PostgresRabbitmq, Self::LambdaSqs];
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PostgresRabbitmq => "postgres-rabbitmq",
            Self::SqliteEmbedded => "sqlite-embedded",
            Self::LambdaSqs => "lambda-sqs",
        })
    }
}

impl FromStr for On {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|on| on.to_string() == text);
        found.ok_or_else(|| format!("{text} is none of postgres-rabbitmq, sqlite-embedded and lambda-sqs"))
    }
}

/// Servers of our own, which a round may crash. A run on servers that others use crashes none.
#[derive(Default)]
pub(crate) struct Servers {
    pub(crate) postgres: Option<Arc<Mutex<Postgres>>>,
    pub(crate) rabbitmq: Option<Arc<Mutex<RabbitMq>>>,
    pub(crate) queues: Option<QueueService>,
}

impl Servers {
    /// Whether there is any that a round may crash.
    pub(crate) fn can_crash(&self) -> bool {
        self.postgres.is_some() || self.rabbitmq.is_some() || self.queues.is_some()
    }
}

/// The deployment of one run.
pub(crate) struct World {
    /// Ends with it, and before anything else: it starts again who has ended.
    _background: JoinSet<()>,
    pub(crate) on: On,
    pub(crate) control: Arc<Control>,
    pub(crate) issuer: Issuer,
    pub(crate) provider: AwkwardProvider,
    pub(crate) crew: Arc<Crew>,
    pub(crate) wires: Vec<Wire>,
    pub(crate) door: Door,
    pub(crate) logs: Mutex<Logs>,
    pub(crate) site: Site,
    pub(crate) servers: Servers,
    pub(crate) ended: Arc<Ended>,
    /// What the broker itself says was published, where a queue of ours can hear it.
    pub(crate) sink: Option<Sink>,
    /// A client of nobody's, from which others are made.
    pub(crate) stranger: Client,
    publisher: Arc<dyn Publisher>,
}

/// What happened to the processes in the whole run.
#[derive(Default)]
pub(crate) struct Ended {
    pub(crate) kills: AtomicU64,
    pub(crate) drained: AtomicU64,
    pub(crate) wrong: Mutex<Vec<String>>,
}

impl Ended {
    pub(crate) fn add(&self, ends: Ends) {
        self.kills.fetch_add(ends.killed, Ordering::SeqCst);
        self.drained.fetch_add(ends.drained, Ordering::SeqCst);
        self.wrong.lock().expect("nobody panics here").extend(ends.wrong);
    }
}

/// A server's start, away from the tasks: it waits.
async fn started<S: Send + 'static>(
    start: impl FnOnce() -> Result<S, StartError> + Send + 'static,
) -> Result<S, String> {
    let started = tokio::task::spawn_blocking(start).await.map_err(|error| error.to_string())?;
    started.map_err(|error| error.to_string())
}

impl World {
    /// Brings it up. Without `own_servers` those that the environment names are used, and none is crashed.
    ///
    /// # Errors
    /// Why a part of it cannot be had.
    pub(crate) async fn start(on: On, own_servers: bool) -> Result<Self, String> {
        let mut servers = Servers::default();
        let mut wires = Vec::new();
        let absent = || "a server is not to be had".to_owned();
        let mut site = match on {
            On::SqliteEmbedded => Site::new(Engine::Sqlite, &Broker::Embedded).await.ok_or_else(absent)?,
            On::PostgresRabbitmq => {
                let (database, broker) = if own_servers {
                    let (database, broker) =
                        tokio::try_join!(started(Postgres::start), started(RabbitMq::start))?;
                    let urls = (database.url(), broker.url());
                    servers.postgres = Some(Arc::new(Mutex::new(database)));
                    servers.rabbitmq = Some(Arc::new(Mutex::new(broker)));
                    urls
                } else {
                    let both = Part::Postgres.needed().zip(Part::RabbitMq.needed());
                    both.ok_or_else(absent)?
                };
                let wire = wire_to(&broker, 5672).await?;
                let through = format!("amqp://guest:guest@127.0.0.1:{}/%2f", wire.port());
                wires.push(wire);
                Site::on_server(&database, &Broker::OwnRabbitMq(through)).await.ok_or_else(absent)?
            }
            On::LambdaSqs => {
                let database = if own_servers {
                    let database = started(Postgres::start).await?;
                    let url = database.url();
                    servers.postgres = Some(Arc::new(Mutex::new(database)));
                    url
                } else {
                    Part::Postgres.needed().ok_or_else(absent)?
                };
                let queues = QueueService::start().await;
                let url = format!("sqs://eu-central-1/chaos?endpoint={}&create=true&wait_s=1", queues.base());
                servers.queues = Some(queues);
                let mut site = Site::on_server(&database, &Broker::Embedded).await.ok_or_else(absent)?;
                site.set("FLORIN_QUEUE_URL", url);
                site
            }
        };
        site = site.of(Program::UNDER_CHAOS);
        if let florin_testkit::suite::Database::Postgres { login, .. } = &site.database {
            let wire = wire_to(login, 5432).await?;
            let options: PgConnectOptions = login.parse().map_err(|error| format!("{error}"))?;
            let through = options.host("127.0.0.1").port(wire.port()).to_url_lossy().to_string();
            site.set("FLORIN_DATABASE_URL", through);
            wires.push(wire);
        }
        let control = Arc::new(Control::new(site.directory().join("control")));
        let issuer = Issuer::new();
        let provider = AwkwardProvider::before(site.sandbox.base()).await;
        site.set(failpoint::VARIABLE, control.directory().display().to_string());
        site.set("FLORIN_ISSUER", issuer.name.clone());
        site.set("FLORIN_JWKS", issuer.jwks());
        site.set("FLORIN_PUBLIC_URL", "http://pay.example");
        site.set("FLORIN_CARD_URL", provider.base());
        site.set("FLORIN_WAIT_MS", "2000");
        site.set("FLORIN_DRAIN_LINGER_MS", "50");
        site.set("FLORIN_LOG", "warn");
        if on == On::PostgresRabbitmq {
            let unique = site.directory().file_name().map(|name| name.to_string_lossy().into_owned());
            let unique =
                unique.unwrap_or_default().replace(|letter: char| !letter.is_ascii_alphanumeric(), "");
            site.set("FLORIN_QUEUE_PREFIX", format!("{unique}."));
        }
        let crew = Arc::new(Crew::new(site.program(), site.directory().to_owned()));
        let config =
            Config::of_with(&[&tally::SERVICE], site.environment()).map_err(|error| error.to_string())?;
        let broker =
            HostBroker::open(&config, Clock::System, None).await.map_err(|error| error.to_string())?;
        // Before anybody publishes. For functions infrastructure makes the queues; they only use them.
        let later = Clock::standing_at(Clock::System.now().plus(LATER));
        let reading = HostBroker::open(&config, later, None).await.map_err(|error| error.to_string())?;
        let queues = reading.subscriber.as_ref().ok_or("this broker is read by nobody")?;
        let all = subscriptions(config.services());
        let sink = match on {
            On::SqliteEmbedded | On::PostgresRabbitmq => Some(Sink::start(queues, all).await?),
            // Without a topic publishers send to the queues of functions alone.
            On::LambdaSqs => {
                queues.declare(&all).await.map_err(|error| error.to_string())?;
                None
            }
        };
        let mut background = JoinSet::new();
        let way = match on {
            On::SqliteEmbedded | On::PostgresRabbitmq => start_crew(on, &site, &crew),
            On::LambdaSqs => start_functions(&site, &crew, &control, &config, &mut background).await?,
        };
        let ended = Arc::new(Ended::default());
        background.spawn(tend(Arc::clone(&crew), Arc::clone(&ended)));
        let stranger = Client::new("", None);
        let publisher = broker.publisher;
        Ok(Self {
            on,
            control,
            issuer,
            provider,
            crew,
            wires,
            door: Door::by(way),
            logs: Mutex::new(Logs::of(site.directory().to_owned())),
            site,
            servers,
            ended,
            sink,
            stranger,
            publisher,
            _background: background,
        })
    }

    /// Somebody with every scope that clients need, in a tenant.
    pub(crate) fn client(&self, tenant: &str, number: usize) -> Client {
        let claims = json!({
            "tenant": tenant, "sub": format!("shopper-{number}"), "exp": 4_000_000_000_u64, "iat": 1_700_000_000,
            "scope": "payments:write payments:read refunds:write refunds:read audit:read tally:read",
        });
        Client::new("", Some(self.issuer.token("florin", &claims)))
    }

    /// Puts an event on the broker that no function can take: it names no tenant. Its identifier comes back in a
    /// dead letter.
    ///
    /// # Errors
    /// The broker did not take it in time.
    pub(crate) async fn poison(&self, id: &str) -> Result<(), String> {
        let event = Event {
            id: id.to_owned(),
            source: "/chaos".to_owned(),
            kind: "florin.chaos.poison.v1".to_owned(),
            subject: None,
            time: None,
            dataschema: None,
            extensions: [("sequence".to_owned(), "1".to_owned())].into(),
            data: Data::Json { content_type: "application/json".to_owned(), value: json!({}) },
        };
        let mut last = String::new();
        for _ in 0..300 {
            match self.publisher.publish(std::slice::from_ref(&event)).await.pop() {
                Some(Ok(())) => return Ok(()),
                other => last = format!("{other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(format!("the broker does not take an event: {last}"))
    }

    /// Keeps the files of a run that failed; where.
    pub(crate) fn keep(&self, seed: u64) -> PathBuf {
        let target = florin_servers::target_directory().unwrap_or_else(std::env::temp_dir);
        let kept = target.join("chaos-failed").join(format!("{}-{seed}", self.on));
        let _ = std::fs::remove_dir_all(&kept);
        let _ = std::fs::create_dir_all(&kept);
        let copied =
            std::process::Command::new("cp").arg("-r").arg(self.site.directory()).arg(&kept).status();
        if !copied.is_ok_and(|status| status.success()) {
            eprintln!("the logs could not be kept");
        }
        kept
    }
}

async fn wire_to(url: &str, default: u16) -> Result<Wire, String> {
    let url: reqwest::Url = url.parse().map_err(|error| format!("{url}: {error}"))?;
    let address = format!("{}:{}", url.host_str().unwrap_or("127.0.0.1"), url.port().unwrap_or(default));
    let found = tokio::net::lookup_host(&address).await.map_err(|error| format!("{address}: {error}"))?;
    let server = found.into_iter().next().ok_or_else(|| format!("{address} has no address"))?;
    Ok(Wire::to(server).await)
}

/// The clock of the sink is ahead of whatever the others' will be moved to: to it, everything is due.
const LATER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// How many environments AWS has brought up for the front of payments.
const PAYMENTS: usize = 10;

/// How many environments take each queue's messages.
const CONSUMERS: usize = 2;

/// The environments of each function, the pollers of their queues and the schedule.
async fn start_functions(
    site: &Site,
    crew: &Arc<Crew>,
    control: &Arc<Control>,
    config: &Config,
    background: &mut JoinSet<()>,
) -> Result<Way, String> {
    let start = async |name: &str, serves: &str| Environment::start(site, crew, control, name, serves).await;
    let mut payments = Vec::new();
    for number in 1..=PAYMENTS {
        payments.push(start(&format!("payments-{number}"), "payments.*").await);
    }
    let audit = start("audit", "audit.*").await;
    let tally = start("tally", "tally.*").await;
    let queue: SqsConfig =
        config.get("queue_url").unwrap_or_default().parse().map_err(|error| format!("{error}"))?;
    for (service, function) in [("audit", "audit.record_event"), ("tally", tally::COUNT_EVENT)] {
        let serves = format!("{service}.*");
        let mut consumers = Vec::new();
        for number in 1..=CONSUMERS {
            consumers.push(start(&format!("{service}-consumer-{number}"), &serves).await);
        }
        let poller = Arc::new(Poller::of(&queue, function).await?);
        background.spawn(poller.run(consumers));
    }
    background.spawn(platform::schedule(start("scheduler", "payments.*").await));
    Ok(Way::Lambda(Arc::new(Functions { payments, audit, tally })))
}

/// Starts the processes of a set-up: one where the directory allows one, else each part for itself.
fn start_crew(on: On, site: &Site, crew: &Crew) -> Way {
    match on {
        On::SqliteEmbedded => {
            let base = crew.start("florin", site.environment());
            Way::Http { payments: vec![base.clone()], audit: base.clone(), tally: base }
        }
        On::PostgresRabbitmq | On::LambdaSqs => {
            let with = |functions, workers| {
                site.environment_with(&[("FLORIN_FUNCTIONS", functions), ("FLORIN_WORKERS", workers)])
            };
            let payments = ["http-1", "http-2"].map(|name| crew.start(name, with("payments.*", "off")));
            crew.start("payments-worker", with("payments.*", "on"));
            crew.start("relay", with("payments.*", "off"));
            let audit = crew.start("audit-worker", with("audit.*", "on"));
            let tally = crew.start("tally-worker", with("tally.*", "on"));
            Way::Http { payments: payments.to_vec(), audit, tally }
        }
    }
}

async fn tend(crew: Arc<Crew>, ended: Arc<Ended>) {
    loop {
        ended.add(crew.tend());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
