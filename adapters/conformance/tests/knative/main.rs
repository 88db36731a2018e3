//! The binary as a Knative service: one port for HTTP/1.1 and h2c, CloudEvents at the guarded door alone, and
//! nothing that runs between requests.

mod door;
mod drain;
mod forged;
mod idle;
mod protocols;

use florin_conformance::client::{Client, Outgoing, Reply};
use florin_conformance::server::Server;
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, DELIVERY_SECRET, Site};
use florin_kernel::event::{Data, Event};
use florin_kernel::time::Clock;
use florin_testkit::suite::Engine;
use http::{HeaderMap, Method};
use serde_json::json;

const AUDIT: &str = "/_deliver/audit.record_event";

/// A Knative service with a broker that keeps what it takes.
struct Knative {
    site: Site,
    sink: Sink,
    florin: Server,
    client: Client,
}

impl Knative {
    /// With the mounted secret as the guard of its door.
    async fn start(engine: Engine) -> Option<Self> {
        Self::with(engine, &[("FLORIN_DELIVERY_SECRET", DELIVERY_SECRET)]).await
    }

    /// With settings of its own.
    async fn with(engine: Engine, settings: &[(&str, &str)]) -> Option<Self> {
        let sink = Sink::keeping().await;
        let mut site = Site::new(engine, &Broker::Http(sink.base().to_owned())).await?;
        site.set("FLORIN_DEV", "1");
        let environment = site.environment_with(settings);
        let florin = Server::spawn_on_knative("florin", environment, site.directory()).ready().await;
        let client = site.client(&florin, "acme");
        Some(Self { site, sink, florin, client })
    }

    /// Somebody who bears this credential.
    fn bearer(&self, credential: &str) -> Client {
        Client::new(self.florin.base(), Some(credential.to_owned()))
    }

    /// How much is recorded of the tenant `acme`.
    async fn recorded(&self) -> usize {
        florin_conformance::audit::recorded(&self.client).await.len()
    }
}

/// A payment that succeeded, as somebody says.
fn paid(id: &str) -> Event {
    Event {
        id: id.to_owned(),
        source: "/florin/payments".to_owned(),
        kind: "florin.payment.succeeded.v1".to_owned(),
        subject: Some("pay_01a20c4981047b05ab49de913dc43ad3".to_owned()),
        time: Some(Clock::System.now()),
        dataschema: None,
        extensions: [("tenant", "acme"), ("sequence", "2")].map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
        data: Data::Json {
            content_type: "application/json".to_owned(),
            value: json!({ "payment": { "id": "pay_01a20c4981047b05ab49de913dc43ad3", "status": "succeeded" } }),
        },
    }
}

/// Posts what a codec made of events.
async fn push(client: &Client, path: &str, (headers, body): (HeaderMap, Vec<u8>)) -> Reply {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    client.send(Method::POST, path, Outgoing { headers, body }).await.expect("an answer")
}
