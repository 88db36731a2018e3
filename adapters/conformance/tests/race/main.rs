//! Fifty at once, on PostgreSQL at two processes: one change, one charge, and the rest is told why not.

use std::collections::BTreeMap;

use florin_conformance::client::{Client, Reply};
use florin_conformance::server::Server;
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, Site};
use florin_testkit::suite::Engine;
use futures_util::future::join_all;
use serde_json::{Value, json};

const MANY: usize = 50;

struct Race {
    site: Site,
    clients: Vec<Client>,
    _servers: Vec<Server>,
    _sink: Sink,
}

impl Race {
    async fn on(engine: Engine) -> Option<Self> {
        // A broker outside, because what is embedded has one serving process; so has SQLite.
        let processes = match engine {
            Engine::Sqlite => &["one"][..],
            Engine::Postgres => &["one", "two"],
        };
        let sink = Sink::keeping().await;
        let site = Site::new(engine, &Broker::Http(sink.base().to_owned())).await?;
        let servers = join_all(processes.iter().map(|name| site.serve_with(name, &[]))).await;
        let clients = servers.iter().map(|server| site.client(server, "acme")).collect();
        Some(Self { site, clients, _servers: servers, _sink: sink })
    }

    /// A payment, confirmed or not.
    async fn payment(&self, confirm: bool, capture_method: &str) -> String {
        let body = json!({
            "amount": 5_000, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": confirm,
            "capture_method": capture_method,
        });
        self.clients[0].post("/v1/payments", body).await.expect(201).id()
    }

    /// The same request many times at once, half of them at each process.
    async fn at_once(&self, path: &str, key: Option<&str>, body: Value) -> Vec<Reply> {
        let one = |number: usize| {
            let (client, body) = (&self.clients[number % self.clients.len()], body.clone());
            async move {
                match key {
                    Some(key) => client.post_once(path, key, body).await,
                    None => client.post(path, body).await,
                }
            }
        };
        join_all((0..MANY).map(one)).await
    }

    async fn records_of(&self, payment: &str) -> Value {
        self.site.sandbox.records_of(payment).await
    }
}

/// How often each answer was given.
fn counted(replies: &[Reply]) -> BTreeMap<(u16, String), usize> {
    let mut counts = BTreeMap::new();
    for reply in replies {
        *counts.entry((reply.status, reply.code().to_owned())).or_default() += 1;
    }
    counts
}

fn assert_one(replies: &[Reply], status: u16, code: &str) {
    let wanted = BTreeMap::from([((status, String::new()), 1), ((409, code.to_owned()), MANY - 1)]);
    assert_eq!(counted(replies), wanted);
}

fn assert_same(replies: &[Reply], status: u16) {
    assert_eq!(counted(replies), BTreeMap::from([((status, String::new()), MANY)]));
    assert!(replies.iter().all(|reply| reply.bytes == replies[0].bytes), "one answer for everybody");
}

async fn confirms(race: &Race) {
    let payment = race.payment(false, "automatic").await;
    let path = format!("/v1/payments/{payment}/confirm");
    assert_one(&race.at_once(&path, None, json!({})).await, 200, "payment_state_conflict");
    race.site.sandbox.assert_charged_once(&payment).await;

    let payment = race.payment(false, "automatic").await;
    let path = format!("/v1/payments/{payment}/confirm");
    assert_same(&race.at_once(&path, Some("confirm"), json!({})).await, 200);
    race.site.sandbox.assert_charged_once(&payment).await;
}

async fn captures(race: &Race) {
    let payment = race.payment(true, "manual").await;
    let path = format!("/v1/payments/{payment}/capture");
    assert_one(&race.at_once(&path, None, json!({})).await, 200, "payment_state_conflict");
    assert_eq!(race.records_of(&payment).await["captures"], 1);

    let payment = race.payment(true, "manual").await;
    let path = format!("/v1/payments/{payment}/capture");
    assert_same(&race.at_once(&path, Some("capture"), json!({})).await, 200);
    assert_eq!(race.records_of(&payment).await["captures"], 1);
}

async fn refunds(race: &Race) {
    let payment = race.payment(true, "automatic").await;
    let replies = race.at_once("/v1/refunds", None, json!({ "payment": payment, "amount": 5_000 })).await;
    assert_one(&replies, 201, "refund_exceeds_remaining");
    assert_eq!(race.records_of(&payment).await["refunds"], 1);

    let payment = race.payment(true, "automatic").await;
    let body = json!({ "payment": payment, "amount": 5_000 });
    assert_same(&race.at_once("/v1/refunds", Some("refund"), body).await, 201);
    assert_eq!(race.records_of(&payment).await["refunds"], 1);

    // As many parts as fit into the whole, and nothing above.
    let payment = race.payment(true, "automatic").await;
    let replies = race.at_once("/v1/refunds", None, json!({ "payment": payment, "amount": 300 })).await;
    let fits = 5_000 / 300;
    assert_eq!(
        counted(&replies),
        BTreeMap::from([
            ((201, String::new()), fits),
            ((409, "refund_exceeds_remaining".to_owned()), MANY - fits)
        ])
    );
    let records = race.records_of(&payment).await;
    assert_eq!(records["refunds"], json!(fits), "{records}");
    assert_eq!(records["records"][0]["refunds"]["amount"], 4_800, "{records}");
}

async fn check(engine: Engine) {
    let Some(race) = Race::on(engine).await else { return };
    confirms(&race).await;
    captures(&race).await;
    refunds(&race).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_one_of_many_wins_and_money_moves_once() {
    check(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_one_of_many_wins_and_money_moves_once() {
    check(Engine::Postgres).await;
}
