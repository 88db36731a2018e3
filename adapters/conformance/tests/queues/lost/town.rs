//! A deployment under load: payments in one process and audit in another where the broker lets them, and customers
//! who repeat a key until its answer is final.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use florin_conformance::audit::{assert_at_rest, assert_recorded, event, operation, recorded};
use florin_conformance::client::Client;
use florin_conformance::server::Server;
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, DELIVERY_SECRET, Site};
use florin_conformance::wait::{until, within};
use florin_queue::cloudevents::Mode;
use florin_testkit::suite::Engine;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How events come to the audit service.
pub(crate) enum Brings {
    /// It takes them from this broker.
    Itself(Broker),
    /// A platform pushes them to its guarded door.
    ToTheDoor,
}

/// How many customers pay at once.
const CUSTOMERS: usize = 4;
/// How many payments more are a sign that the load goes on.
const A_FEW: usize = 8;
/// How many payments the customers make beyond those that are waited for: what is ended is in the middle of its work,
/// and what is away for long has no mountain to catch up with.
const AHEAD: usize = 25;

pub(crate) struct Town {
    site: Site,
    servers: Vec<Server>,
    audit_data: PathBuf,
    payments: Client,
    audit: Client,
    _sink: Option<Sink>,
}

impl Town {
    pub(crate) async fn start(engine: Engine, brings: Brings) -> Option<Self> {
        let (broker, sink) = match brings {
            Brings::Itself(broker) => (broker, None),
            Brings::ToTheDoor => {
                let sink = Sink::start(Mode::Binary).await;
                (Broker::Http(sink.base().to_owned()), Some(sink))
            }
        };
        let mut site = Site::new(engine, &broker).await?;
        if matches!(broker, Broker::Sqs | Broker::SqsWithTopic) {
            // What a killed process held is another's after this; it is a minute by default.
            let url = format!("{}&visibility_s=4", site.setting("FLORIN_QUEUE_URL"));
            site.set("FLORIN_QUEUE_URL", url);
        }
        site.set("FLORIN_DELIVERY_SECRET", DELIVERY_SECRET);
        let (servers, audit_data) = match broker {
            // A data directory has one serving process.
            Broker::Embedded => (vec![site.serve().await], site.data()),
            _ => apart(&site).await,
        };
        let (payments, last) = (&servers[0], &servers[servers.len() - 1]);
        if let Some(sink) = &sink {
            sink.push_to(last.base(), "audit.record_event").await;
        }
        let payments = site.client(payments, "acme");
        let audit = payments.at(last.base());
        Some(Self { site, servers, audit_data, payments, audit, _sink: sink })
    }

    /// How many there are to end.
    pub(crate) fn processes(&self) -> usize {
        self.servers.len()
    }

    /// Customers who pay until they are told to stop.
    pub(crate) fn pay(&self) -> Load {
        let paid = Arc::new(watch::Sender::new(Vec::new()));
        let wanted = Arc::new(watch::Sender::new(AHEAD));
        let stop = CancellationToken::new();
        let customers = (0..CUSTOMERS).map(|customer| {
            let (paid, wanted) = (Arc::clone(&paid), wanted.subscribe());
            tokio::spawn(buy(self.payments.clone(), customer, paid, wanted, stop.clone()))
        });
        Load { customers: customers.collect(), paid, wanted, stop }
    }

    /// Waits until something of the load has come all the way.
    pub(crate) async fn has_recorded(&self) {
        until("something is recorded", || async { (!recorded(&self.audit).await.is_empty()).then_some(()) })
            .await;
    }

    pub(crate) async fn terminate(&mut self, number: usize) {
        let mut server = self.servers.remove(number);
        server.stop().await;
        self.servers.insert(number, server.again().await);
    }

    pub(crate) async fn kill(&mut self, number: usize) {
        let mut server = self.servers.remove(number);
        server.kill();
        // Its leases would end by the clock.
        let rows = self.site.rows("payments");
        rows.end_claims().await;
        rows.end_leases().await;
        self.servers.insert(number, server.again().await);
    }

    /// Ends the load. Everything that was paid was charged once and is recorded once, and nothing else is.
    pub(crate) async fn assert_everything_is_recorded_once(mut self, load: Load) {
        let paid = load.ended().await;
        let mut expected = Vec::new();
        for payment in &paid {
            self.site.sandbox.assert_charged_once(payment).await;
            expected.extend([
                operation("create_payment", payment, "accepted"),
                event("payment.created", payment, 1),
                operation("record_charge", payment, "succeeded"),
                event("payment.succeeded", payment, 2),
            ]);
        }
        assert_recorded(&self.site, &self.audit, expected.clone()).await;
        for server in &mut self.servers {
            server.stop().await;
        }
        assert_at_rest(&self.site, &self.site.rows_at(&self.audit_data, "audit"), expected.len()).await;
    }
}

/// Payments on the site's own data directory, and audit on another with the same key.
async fn apart(site: &Site) -> (Vec<Server>, PathBuf) {
    let data = site.another_data_directory("audit");
    let text = data.display().to_string();
    let payments = site.serve_with("payments", &[("FLORIN_FUNCTIONS", "payments.*")]).await;
    let audit = site.serve_with("audit", &[("FLORIN_FUNCTIONS", "audit.*"), ("FLORIN_DATA", &text)]).await;
    (vec![payments, audit], data)
}

/// Payments under way.
pub(crate) struct Load {
    customers: Vec<JoinHandle<()>>,
    paid: Arc<watch::Sender<Vec<String>>>,
    wanted: Arc<watch::Sender<usize>>,
    stop: CancellationToken,
}

impl Load {
    /// Waits for a few more payments.
    pub(crate) async fn goes_on(&self) {
        let wanted = self.paid.borrow().len() + A_FEW;
        self.wanted.send_replace(wanted + AHEAD);
        let mut paid = self.paid.subscribe();
        within("more payments", paid.wait_for(|paid| paid.len() >= wanted)).await.expect("the load is ours");
    }

    async fn ended(self) -> Vec<String> {
        self.stop.cancel();
        for customer in self.customers {
            within("a customer's last answer", customer).await.expect("no answer that is wrong");
        }
        self.paid.borrow().clone()
    }
}

/// Buys one thing after the other, each under a key that is repeated until its answer is final.
async fn buy(
    client: Client,
    customer: usize,
    paid: Arc<watch::Sender<Vec<String>>>,
    mut wanted: watch::Receiver<usize>,
    stop: CancellationToken,
) {
    let body = json!({ "amount": 100, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    for number in 0.. {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            more = wanted.wait_for(|wanted| paid.borrow().len() < *wanted) => more.expect("the load is ours"),
        };
        let key = format!("key-{customer}-{number}");
        let payment = loop {
            // Without an answer the process is gone, and will be back.
            if let Ok(reply) = client.try_post_once("/v1/payments", &key, body.clone()).await {
                match (reply.status, reply.code()) {
                    (201, _) => break reply.id(),
                    (202 | 503, _) | (409, "idempotency_key_in_use") => {}
                    _ => panic!("no answer of a payment that goes on: {reply:?}"),
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        paid.send_modify(|paid| paid.push(payment));
    }
}
