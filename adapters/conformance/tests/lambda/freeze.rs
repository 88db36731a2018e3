//! Between two invocations a function does not run: what it had to say is said before, and what it held may be gone
//! when it goes on.

use std::collections::BTreeSet;
use std::fs;

use florin_conformance::audit::{event, operation, recorded};
use florin_conformance::client::{Client, Reply};
use florin_conformance::collector::Collector;
use florin_conformance::lambda::{Front, Lambda};
use florin_conformance::server::Server;
use florin_conformance::site::{Broker, Site};
use florin_conformance::wait::until;
use florin_conformance::wire::Wire;
use florin_servers::Part;
use florin_testkit::suite::Engine;
use serde_json::json;

use crate::{post, tick};

/// A process that SIGSTOP stops as the platform's freezer does: none of its threads runs, and its sockets stay.
async fn freeze(lambda: &mut Lambda) {
    lambda.process().signal("STOP");
    let status = format!("/proc/{}/stat", lambda.process().id());
    // proc(5): the state stands behind the name in parentheses.
    let is_stopped = || fs::read_to_string(&status).is_ok_and(|stat| stat.contains(") T "));
    until("it is stopped", || std::future::ready(is_stopped().then_some(()))).await;
}

fn thaw(lambda: &mut Lambda) {
    lambda.process().signal("CONT");
}

/// A payment through a function, confirmed at once.
async fn paid(lambda: &Lambda, token: &str, key: &str) -> Reply {
    let body =
        json!({ "amount": 4_200, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    lambda.request(Front::HttpApi, &post(token, "/v1/payments", key, &body)).await.expect(201)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_is_published_and_traced_when_it_freezes_and_dead_connections_are_no_500() {
    let Some((mut site, sink)) = crate::site(Engine::Postgres).await else { return };
    let collector = Collector::start().await;
    for (name, value) in collector.environment() {
        site.set(name, value);
    }
    // Nothing but the flush at the end of an invocation sends anything while this test runs.
    site.set("OTEL_BSP_SCHEDULE_DELAY", "600000");
    site.set("OTEL_METRIC_EXPORT_INTERVAL", "600000");
    // On a machine that is building at the same time a second may be too short.
    site.set("FLORIN_OTLP_FLUSH_MS", "20000");
    let token = site.token("acme");
    let mut lambda = Lambda::start(&site, "lambda").await;
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut may_come_twice = false;
    for invocation in 1..=3 {
        let before = (sink.taken().await.len(), named(&collector, PUBLISH), cut_off(&mut lambda));
        let payment = paid(&lambda, &token, &format!("key-{invocation}")).await;
        assert_eq!(payment.body["status"], "succeeded");
        // Taken down at the answer, and once more when nothing can come any more.
        let at_the_answer = (sink.taken().await.len(), collector.spans().len());
        freeze(&mut lambda).await;
        assert_eq!((sink.taken().await.len(), collector.spans().len()), at_the_answer);
        assert_eq!(named(&collector, "POST /v1/payments"), invocation, "{:#?}", collector.spans());
        if cut_off(&mut lambda) == before.2 {
            assert_eq!((at_the_answer.0 - before.0, site.unpublished()), (4, 0));
            assert_eq!(named(&collector, PUBLISH) - before.1, 1, "{:#?}", collector.spans());
        } else {
            // It says itself that its time was too short, as on a machine that is building: then the sweep has the rest.
            may_come_twice = true;
            thaw(&mut lambda);
            until("all is published", || async {
                assert_eq!(tick(&lambda, "payments.sweep").await["disposition"], "done");
                (site.unpublished() == 0).then_some(())
            })
            .await;
            freeze(&mut lambda).await;
        }
        let taken = sink.taken().await;
        let ids: BTreeSet<&str> = taken.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids.len(), 4 * invocation);
        assert!(may_come_twice || taken.len() == ids.len(), "{taken:#?}");
        let killed = site.rows("payments").number(kill).await;
        assert!(killed >= 1, "it held no connection");
        thaw(&mut lambda);
        site.sandbox.assert_charged_once(&payment.id()).await;
    }
    assert!(lambda.process().is_running());
}

const PUBLISH: &str = "publish florin.payment.succeeded.v1";

fn named(collector: &Collector, name: &str) -> usize {
    collector.spans().iter().filter(|span| span.name == name).count()
}

/// How often a function said that it ended before everything was published.
fn cut_off(lambda: &mut Lambda) -> usize {
    lambda.process().log().matches("publishing took longer than an invocation waits").count()
}

/// Payments as a function whose broker can be taken away, and audit as a container that keeps its own.
struct Apart {
    site: Site,
    audit: Server,
    records: Client,
    token: String,
    lambda: Lambda,
    wire: Wire,
    expected: Vec<String>,
}

impl Apart {
    async fn start(broker: Broker, part: Part) -> Option<Self> {
        let place = part.needed()?;
        let mut site = Site::new(Engine::Postgres, &broker).await?;
        site.set("FLORIN_PUBLIC_URL", "https://pay.example");
        // It makes the queues; a function that starts cold only uses them.
        let audit = site.serve_with("audit", &[("FLORIN_FUNCTIONS", "audit.*")]).await;
        let server = place.split("//").nth(1).and_then(|rest| rest.rsplit('@').next());
        let server = server.and_then(|server| server.split('/').next()).expect("an address");
        let wire = Wire::to(server.parse().expect("an address and a port")).await;
        let through = site.setting("FLORIN_QUEUE_URL").replace(server, &format!("127.0.0.1:{}", wire.port()));
        let settings = [("FLORIN_FUNCTIONS", "payments.*"), ("FLORIN_QUEUE_URL", &through)];
        let (token, records) = (site.token("acme"), site.client(&audit, "acme"));
        let lambda = Lambda::start_with(&site, "lambda", &settings).await;
        Some(Self { site, audit, records, token, lambda, wire, expected: Vec::new() })
    }

    async fn pay(&mut self, key: &str) {
        let payment = paid(&self.lambda, &self.token, key).await.id();
        self.expected.extend([
            operation("create_payment", &payment, "accepted"),
            event("payment.created", &payment, 1),
            operation("record_charge", &payment, "succeeded"),
            event("payment.succeeded", &payment, 2),
        ]);
        self.expected.sort();
    }

    /// Sweeps, as the schedule does every minute, until everything is recorded, and nothing twice.
    async fn assert_recorded(&self) {
        let lines = until("all is recorded", || async {
            assert_eq!(tick(&self.lambda, "payments.sweep").await["disposition"], "done");
            if self.site.unpublished() > 0 || self.site.waiting().await > 0 {
                return None;
            }
            let lines = recorded(&self.records).await;
            (lines.len() >= self.expected.len()).then_some(lines)
        })
        .await;
        assert_eq!(lines, self.expected);
    }
}

/// The broker ends a connection whose function says nothing, and may be away when it goes on.
async fn a_broker_that_went(broker: Broker, part: Part) {
    let Some(mut apart) = Apart::start(broker, part).await else { return };
    apart.pay("key-1").await;
    apart.assert_recorded().await;
    freeze(&mut apart.lambda).await;
    apart.wire.cut();
    thaw(&mut apart.lambda);
    apart.pay("key-2").await;
    apart.assert_recorded().await;
    freeze(&mut apart.lambda).await;
    apart.wire.go_away();
    thaw(&mut apart.lambda);
    apart.pay("key-3").await;
    assert_eq!(apart.site.unpublished(), 4);
    apart.wire.come_back();
    apart.assert_recorded().await;
    assert!(apart.lambda.process().is_running());
    apart.audit.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_that_ended_the_connection_of_a_frozen_function_is_no_500_and_gets_everything() {
    a_broker_that_went(Broker::RabbitMq, Part::RabbitMq).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqs_that_ended_the_connection_of_a_frozen_function_is_no_500_and_gets_everything() {
    a_broker_that_went(Broker::Sqs, Part::Sqs).await;
}

/// Whoever pushes for the function ends its connection; the next one is made within the invocation that wants it.
#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_ended_the_connection_of_a_frozen_function_is_no_500_and_gets_everything() {
    let Some((mut site, sink)) = crate::site(Engine::Sqlite).await else { return };
    let server = sink.base().strip_prefix("http://").and_then(|server| server.parse().ok());
    let wire = Wire::to(server.expect("an address and a port")).await;
    site.set("FLORIN_QUEUE_URL", format!("http://127.0.0.1:{}", wire.port()));
    let token = site.token("acme");
    let mut lambda = Lambda::start(&site, "lambda").await;
    for invocation in 1..=3 {
        paid(&lambda, &token, &format!("key-{invocation}")).await;
        freeze(&mut lambda).await;
        wire.cut();
        thaw(&mut lambda);
    }
    until("all is published", || async {
        assert_eq!(tick(&lambda, "payments.sweep").await["disposition"], "done");
        (site.unpublished() == 0).then_some(())
    })
    .await;
    let taken = sink.taken().await;
    let ids: BTreeSet<&str> = taken.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids.len(), 3 * 4);
    assert!(lambda.process().is_running());
}
