//! A suite of services in this process, on each database, entered by the door its customers use.
//!
//! The clock stands still until the test moves it, nothing runs in the background, and the test says when
//! events travel ([`Suite::settle`]) and when what is due is swept ([`Suite::sweep`]).

mod database;
mod peers;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use florin_http::app::{App, Limits};
use florin_http::network::{HttpNetwork, Peer};
use florin_http::token::{DevelopmentKey, Verifier};
use florin_kernel::corridor::Disposition;
use florin_kernel::event::Event;
use florin_kernel::network::Network;
use florin_kernel::rows::outbox;
use florin_kernel::service::{Definition, Service, Settings};
use florin_kernel::time::{Clock, Timestamp};
use florin_queue::port::Subscription;
use florin_sandbox::{Sandbox, SandboxConfig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::client::loopback;
pub use crate::client::{Client, Reply};
pub use database::{Database, Engine};
pub use peers::{Fault, Peers};

/// Services on one database, with a sandbox of their own.
pub struct Suite {
    /// Which database this is.
    pub engine: Engine,
    /// The time; it stands until it is moved.
    pub clock: Clock,
    /// The services.
    pub services: Vec<Arc<Service>>,
    /// The HTTP front.
    pub router: Router,
    /// The way to peers, which can be told to fail.
    pub peers: Arc<Peers>,
    /// Where the sandbox listens: `http://127.0.0.1:PORT`.
    pub sandbox: String,
    /// The databases behind the services, to be looked into as any role.
    pub database: Database,
    key: DevelopmentKey,
    stop: CancellationToken,
    directory: tempfile::TempDir,
}

/// Where a suite says it is reached, unless its settings say otherwise.
pub const ADDRESS: &str = "http://florin.test";

/// When the suites' clocks start: a Saturday at noon.
pub const START: &str = "2026-01-31T12:00:00Z";

/// Runs a test on SQLite and, where there is one, on PostgreSQL.
pub async fn on_each_database<F: Future<Output = ()>>(
    definitions: &[&'static Definition],
    test: impl Fn(Suite) -> F,
) {
    on_each_database_with(definitions, &Settings::default(), test).await;
}

/// As [`on_each_database`], with a deployment's own settings.
pub async fn on_each_database_with<F: Future<Output = ()>>(
    definitions: &[&'static Definition],
    settings: &Settings,
    test: impl Fn(Suite) -> F,
) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        if let Some(suite) = Suite::start(engine, definitions, settings).await {
            let database = suite.database.clone();
            test(suite).await;
            database.remove().await;
        }
    }
}

impl Suite {
    /// Starts the services; none where the database is not to be had.
    pub async fn start(
        engine: Engine,
        definitions: &[&'static Definition],
        settings: &Settings,
    ) -> Option<Self> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let directory = tempfile::tempdir().expect("a scratch directory");
        let database = Database::create(engine, directory.path()).await?;
        let clock = Clock::standing_at(START.parse::<Timestamp>().expect("a time"));
        let stop = CancellationToken::new();
        let sandbox = sandbox(&directory, &clock, &stop).await;
        let peers = Arc::new(Peers::new(network(&sandbox, ADDRESS)));
        let address = settings.address.clone().or_else(|| Some(ADDRESS.to_owned()));
        let settings = Settings { address, ..settings.clone() };
        let mut services = Vec::new();
        for definition in definitions {
            let db = database.of_service(definition).await;
            let network = Arc::clone(&peers) as Arc<dyn Network>;
            services.push(Service::new(definition, db, clock.clone(), network, settings.clone()));
        }
        let key = DevelopmentKey::load_or_create(&directory.path().join("key.json")).expect("a key");
        let verifier = Verifier::new(key.rules()).expect("rules");
        let app = App::new(services.clone(), verifier, Limits::default());
        let router = florin_http::router::router(&app);
        Some(Self { engine, clock, services, router, peers, sandbox, database, key, stop, directory })
    }

    /// A service as another process of this deployment serves it, that is reached elsewhere.
    pub fn elsewhere(&self, name: &str, address: &str) -> Arc<Service> {
        let here = self.service(name);
        let network = Arc::new(network(&self.sandbox, address));
        let settings = Settings { address: Some(address.to_owned()), ..here.settings.clone() };
        Service::new(here.definition, here.db.clone(), self.clock.clone(), network, settings)
    }

    /// The service of this name.
    pub fn service(&self, name: &str) -> &Arc<Service> {
        self.services.iter().find(|s| s.name() == name).expect("a service of this suite")
    }

    /// A scratch directory that goes with the suite.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Somebody with every scope in a tenant.
    pub fn client(&self, tenant: &str) -> Client {
        let scopes = self.services.iter().flat_map(|s| s.definition.functions).filter_map(|f| {
            match f.door()?.door.access {
                florin_kernel::door::Access::Scope(scope) => Some(scope),
                florin_kernel::door::Access::Public => None,
            }
        });
        self.client_with(tenant, "tester", &scopes.collect::<Vec<_>>())
    }

    /// Somebody with these scopes in a tenant.
    pub fn client_with(&self, tenant: &str, subject: &str, scopes: &[&str]) -> Client {
        let tenant = tenant.parse().expect("a tenant");
        let scopes = scopes.iter().map(|s| (*s).to_owned()).collect();
        // Good for as long as a test may move its clock.
        let ttl = Duration::from_secs(400 * 24 * 60 * 60);
        let token = self.key.sign(subject, &tenant, &scopes, ttl, self.clock.now());
        Client::of_router(self.router.clone(), Some(token))
    }

    /// Somebody without a token.
    pub fn stranger(&self) -> Client {
        Client::of_router(self.router.clone(), None)
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Takes what is in the outboxes, as a relay would.
    pub async fn published(&self) -> Vec<Event> {
        let mut all = Vec::new();
        for service in &self.services {
            loop {
                let events =
                    outbox::claim(service, 256, Duration::from_secs(30)).await.expect("the outbox is read");
                if events.is_empty() {
                    break;
                }
                let ids: Vec<String> = events.iter().map(|e| e.id.clone()).collect();
                outbox::published(service, &ids).await.expect("the outbox is marked");
                all.extend(events);
            }
        }
        all
    }

    /// Delivers an event to every reaction of this suite that wants it.
    pub async fn deliver(&self, event: &Event) -> Vec<(&'static str, Disposition)> {
        let mut dispositions = Vec::new();
        for service in &self.services {
            for subscription in Subscription::of(service.definition.functions) {
                if subscription.wants(event) {
                    let disposition = service.deliver(subscription.function, event.clone(), None).await;
                    dispositions.push((subscription.function, disposition));
                }
            }
        }
        dispositions
    }

    /// Lets events travel until nothing is left to travel; all of them, in the order they were published.
    pub async fn settle(&self) -> Vec<Event> {
        let mut all = Vec::new();
        loop {
            let events = self.published().await;
            if events.is_empty() {
                return all;
            }
            for event in &events {
                for (function, disposition) in self.deliver(event).await {
                    assert!(
                        matches!(disposition, Disposition::Done | Disposition::Duplicate),
                        "{function} on {}: {disposition:?}",
                        event.kind
                    );
                }
            }
            all.extend(events);
        }
    }

    /// Runs every effect that is due, as a sweep would.
    pub async fn sweep(&self) -> usize {
        let mut tried = 0;
        for service in &self.services {
            tried += service.sweep(1_000).await.expect("the effects are read");
        }
        tried
    }

    /// Waits for the effects that somebody else than the test started: a job, or a caller who is gone.
    pub async fn drained(&self) {
        for service in &self.services {
            service.drain().await;
        }
    }

    /// Decides on the provider's page as the customer, `approve` or `refuse`; where the browser is sent then.
    pub async fn authenticate(&self, page: &str, decision: &str) -> String {
        let browser = loopback().build().expect("a browser");
        let answer = browser.post(page).form(&[("decision", decision)]).send().await.expect("a page");
        answer.headers()["location"].to_str().expect("an address").to_owned()
    }

    /// What the sandbox says it did, narrowed by its query.
    pub async fn sandbox_records(&self, query: &str) -> serde_json::Value {
        let address = format!("{}/v1/records{query}", self.sandbox);
        let answer = reqwest::get(address).await.expect("the sandbox answers");
        answer.json().await.expect("its records are JSON")
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn sandbox(directory: &tempfile::TempDir, clock: &Clock, stop: &CancellationToken) -> String {
    let url = format!("sqlite://{}", directory.path().join("sandbox.db").display());
    let quick = SandboxConfig {
        hold: Duration::from_millis(1),
        slow: Duration::from_millis(200),
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::open(&url, quick, clock.clone()).await.expect("the sandbox opens");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(florin_sandbox::serve(listener, sandbox, stop.clone()));
    format!("http://{address}")
}

fn network(sandbox: &str, address: &str) -> HttpNetwork {
    let card = Peer { base: sandbox.to_owned(), credential: None };
    HttpNetwork::new(HashMap::from([("card", card)]), address).expect("a client")
}
