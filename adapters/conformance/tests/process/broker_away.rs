//! The broker is away when the process starts, and again later: requests do not notice, and events arrive after, once.

use florin_conformance::audit::{assert_at_rest, assert_recorded, event, operation};
use florin_conformance::client::Client;
use florin_conformance::server::Server;
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, DELIVERY_SECRET, Site};
use florin_conformance::wire::Wire;
use florin_queue::cloudevents::Mode;
use florin_testkit::servers::{free_port, own_rabbitmq};
use florin_testkit::suite::Engine;
use serde_json::json;

/// A process, what was paid at it, and what is to be recorded of that.
struct Served {
    site: Site,
    florin: Server,
    client: Client,
    expected: Vec<String>,
}

impl Served {
    async fn start(site: Site) -> Self {
        let florin = site.serve().await;
        let client = site.client(&florin, "acme");
        Self { site, florin, client, expected: Vec::new() }
    }

    async fn pay(&mut self, key: &str) {
        let body =
            json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
        let payment = self.client.post_once("/v1/payments", key, body).await.expect(201).id();
        self.expected.extend([
            operation("create_payment", &payment, "accepted"),
            event("payment.created", &payment, 1),
            operation("record_charge", &payment, "succeeded"),
            event("payment.succeeded", &payment, 2),
        ]);
    }

    /// A payment that nobody is there to hear of.
    async fn pay_unheard(&mut self, key: &str) {
        self.pay(key).await;
        let waiting = "SELECT count(*) FROM florin_outbox WHERE published_at IS NULL";
        assert_eq!(self.site.rows("payments").number(waiting).await, 4);
    }

    async fn assert_recorded(&self) {
        assert_recorded(&self.site, &self.client, self.expected.clone()).await;
    }

    async fn stop(mut self) {
        self.florin.stop().await;
        assert_at_rest(&self.site, &self.site.rows("audit"), self.expected.len()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_was_away_gets_everything_when_it_is_back() {
    let port = free_port();
    let broker = Broker::Http(format!("http://127.0.0.1:{port}"));
    let Some(mut site) = Site::new(Engine::Sqlite, &broker).await else { return };
    site.set("FLORIN_DELIVERY_SECRET", DELIVERY_SECRET);
    let mut served = Served::start(site).await;
    served.pay_unheard("key-1").await;
    let back = async |served: &Served| {
        let sink = Sink::start_at(port, Mode::Binary).await;
        sink.push_to(served.florin.base(), "audit.record_event").await;
        served.assert_recorded().await;
        sink
    };
    let sink = back(&served).await;
    sink.stop().await;
    served.pay_unheard("key-2").await;
    let _sink = back(&served).await;
    served.stop().await;
}

/// SQS behind a wire, so that it keeps its messages while it is away.
async fn sqs(broker: Broker) {
    let Some(mut site) = Site::new(Engine::Sqlite, &broker).await else { return };
    let endpoint = florin_servers::Part::Sqs.needed().expect("the site has it");
    let server =
        endpoint.strip_prefix("http://").and_then(|server| server.trim_end_matches('/').parse().ok());
    let wire = Wire::to(server.expect("an address and a port")).await;
    let through =
        site.setting("FLORIN_QUEUE_URL").replace(&endpoint, &format!("http://127.0.0.1:{}", wire.port()));
    // What a cut connection was handed comes again after this; it is a minute by default.
    site.set("FLORIN_QUEUE_URL", format!("{through}&visibility_s=4"));
    wire.go_away();
    let mut served = Served::start(site).await;
    served.pay_unheard("key-1").await;
    wire.come_back();
    served.assert_recorded().await;
    wire.go_away();
    served.pay_unheard("key-2").await;
    wire.come_back();
    served.assert_recorded().await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqs_that_was_away_gets_everything_when_it_is_back() {
    sqs(Broker::Sqs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_away_gets_everything_when_it_is_back() {
    sqs(Broker::SqsWithTopic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_that_was_away_gets_everything_when_it_is_back() {
    let Some(mut server) = own_rabbitmq() else { return };
    let Some(site) = Site::new(Engine::Sqlite, &Broker::OwnRabbitMq(server.url())).await else { return };
    server.stop();
    let mut served = Served::start(site).await;
    served.pay_unheard("key-1").await;
    server.resume().expect("RabbitMQ starts");
    served.assert_recorded().await;
    // An orderly restart, and then a crash, under a process that is connected. (A crash within half a second of a
    // quorum queue's making loses the queue: the broker's own directory of them is written that late.)
    server.stop();
    served.pay_unheard("key-2").await;
    server.resume().expect("RabbitMQ starts");
    served.assert_recorded().await;
    server.crash();
    served.pay_unheard("key-3").await;
    server.resume().expect("RabbitMQ starts");
    served.assert_recorded().await;
    served.stop().await;
}
