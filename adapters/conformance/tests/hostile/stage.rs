//! A container, a Knative service and a Lambda function that trust one issuer.

use std::fs;
use std::net::SocketAddr;

use florin_conformance::lambda::Lambda;
use florin_conformance::process::Process;
use florin_conformance::server::Server;
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, Site};
use florin_testkit::suite::Engine;
use serde_json::json;

use crate::forge::{AUDIENCE, DELIVERIES, Forge, ISSUER};
use crate::h1::{self, Heard};
use crate::request::Request;
use crate::way::{self, Way};
use crate::{function, h2};

/// The largest body that is taken, in bytes: a hostile one of a few times as many is still quick to send.
pub(crate) const BODY_LIMIT: usize = 16 * 1024;

/// The processes, and their issuer.
pub(crate) struct Stage {
    pub(crate) issuer: Forge,
    /// The good token, of the tenant `acme`.
    pub(crate) token: String,
    pub(crate) container: Server,
    pub(crate) knative: Server,
    pub(crate) lambda: Lambda,
    sites: [Site; 2],
    _sink: Sink,
}

impl Stage {
    /// Everything, on SQLite.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Everything, on SQLite with settings of a test's own.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(Engine::Sqlite, settings).await.expect("SQLite is always there")
    }

    /// Everything; nothing where the database is not to be had.
    pub(crate) async fn on(engine: Engine, settings: &[(&str, &str)]) -> Option<Self> {
        let issuer = Forge::new();
        let sink = Sink::keeping().await;
        // What listens has its data directory alone, so Knative has one of its own.
        let first = site_of(engine, &issuer, &sink, settings).await?;
        let other = site_of(engine, &issuer, &sink, settings).await?;
        let environment = other.environment();
        let (container, knative) = tokio::join!(
            first.serve_with("container", &[]),
            Server::spawn_on_knative("knative", environment, other.directory()).ready()
        );
        let lambda = Lambda::start(&first, "lambda").await;
        let token = issuer.token("acme");
        Some(Self { issuer, token, container, knative, lambda, sites: [first, other], _sink: sink })
    }

    /// Where the sockets of a way are; a function has none.
    pub(crate) fn address(&self, way: Way) -> SocketAddr {
        let server = match way {
            Way::ContainerH1 | Way::ContainerH2c => &self.container,
            Way::KnativeH1 | Way::KnativeH2c => &self.knative,
            Way::Lambda(front) => panic!("{front:?} is no socket"),
        };
        let address = server.base().strip_prefix("http://").expect("a base address");
        address.parse().expect("an address and a port")
    }

    /// Sends a request on its way.
    pub(crate) async fn send(&self, way: Way, request: &Request) -> Option<Heard> {
        match way {
            Way::ContainerH1 | Way::KnativeH1 => h1::send(self.address(way), request, &self.token).await,
            Way::ContainerH2c | Way::KnativeH2c => h2::send(self.address(way), request, &self.token).await,
            Way::Lambda(front) => Some(function::send(&self.lambda, front, request, &self.token).await),
        }
    }

    /// Asserts that an ordinary payment goes through every way now, and that nothing panicked so far.
    pub(crate) async fn lives(&mut self) {
        let body =
            json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
        for way in way::ALL {
            let paid = self.send(way, &Request::pay(body.to_string())).await.expect("an answer");
            assert_eq!((paid.status, &paid.body["status"]), (201, &json!("succeeded")), "{way:?}: {paid:?}");
        }
        for process in self.processes() {
            assert!(process.is_running());
            let log = process.log();
            assert!(!log.contains("panicked"), "{log}");
        }
    }

    /// The processes' resident memory in kilobytes: container, Knative, Lambda.
    pub(crate) fn resident_kilobytes(&mut self) -> [u64; 3] {
        self.processes().map(|process| kilobytes(process.id(), "VmRSS:"))
    }

    /// The most of it since the peaks were forgotten.
    pub(crate) fn peak_kilobytes(&mut self) -> [u64; 3] {
        self.processes().map(|process| kilobytes(process.id(), "VmHWM:"))
    }

    /// Lets the peaks begin at what is resident now (proc(5), `clear_refs`).
    pub(crate) fn forget_peaks(&mut self) {
        for process in self.processes() {
            fs::write(format!("/proc/{}/clear_refs", process.id()), "5").expect("Linux 4.0");
        }
    }

    fn processes(&mut self) -> [&mut Process; 3] {
        [self.container.process(), self.knative.process(), self.lambda.process()]
    }

    /// How often the container told of a delivery that it could not read, and Knative: no broker may bring it again.
    pub(crate) fn told_of_unread(&mut self) -> [usize; 2] {
        let [container, knative, _] = self.processes();
        [container, knative].map(|process| process.log().matches("a delivery that is no CloudEvent").count())
    }

    /// How many payments the container's and the function's database holds, and Knative's.
    pub(crate) async fn payments(&self) -> [i64; 2] {
        let [site, other] = &self.sites;
        let count = "SELECT count(*) FROM payments";
        [site.rows("payments").number(count).await, other.rows("payments").number(count).await]
    }
}

/// A line of a process's memory.
pub(crate) fn kilobytes(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of that name");
    line.trim().trim_end_matches(" kB").parse().expect("a number of kilobytes")
}

async fn site_of(engine: Engine, issuer: &Forge, sink: &Sink, settings: &[(&str, &str)]) -> Option<Site> {
    let mut site = Site::new(engine, &Broker::Http(sink.base().to_owned())).await?;
    for (name, value) in [
        ("FLORIN_ISSUER", ISSUER),
        ("FLORIN_AUDIENCE", AUDIENCE),
        ("FLORIN_DELIVERY_AUDIENCE", DELIVERIES),
        ("FLORIN_PUBLIC_URL", "https://pay.example"),
    ] {
        site.set(name, value);
    }
    site.set("FLORIN_JWKS", issuer.jwks());
    site.set("FLORIN_BODY_LIMIT_BYTES", BODY_LIMIT.to_string());
    for &(name, value) in settings {
        site.set(name, value);
    }
    Some(site)
}
