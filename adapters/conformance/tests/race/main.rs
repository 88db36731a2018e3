//! Fifty at once, on PostgreSQL at two processes: one change, one charge, and the rest is told why not.

use std::collections::{BTreeMap, BTreeSet};

use florin_conformance::client::{Client, Reply};
use florin_conformance::server::Server;
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, Site};
use florin_testkit::suite::Engine;
use futures_util::future::join_all;
use serde_json::{Value, json};

const MANY: usize = 50;

/// Under which idempotency keys the requests go.
#[derive(Clone, Copy)]
enum Keys<'k> {
    None,
    /// All under this one.
    One(&'k str),
    /// Each under one of its own, which begins like this.
    Each(&'k str),
}

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
    async fn at_once(&self, path: &str, keys: Keys<'_>, body: Value) -> Vec<Reply> {
        let one = |number: usize| {
            let (client, body) = (&self.clients[number % self.clients.len()], body.clone());
            async move {
                match keys {
                    Keys::None => client.post(path, body).await,
                    Keys::One(key) => client.post_once(path, key, body).await,
                    Keys::Each(key) => client.post_once(path, &format!("{key}-{number}"), body).await,
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
    assert_one(&race.at_once(&path, Keys::None, json!({})).await, 200, "payment_state_conflict");
    race.site.sandbox.assert_charged_once(&payment).await;

    let payment = race.payment(false, "automatic").await;
    let path = format!("/v1/payments/{payment}/confirm");
    assert_same(&race.at_once(&path, Keys::One("confirm"), json!({})).await, 200);
    race.site.sandbox.assert_charged_once(&payment).await;
}

async fn captures(race: &Race) {
    let payment = race.payment(true, "manual").await;
    let path = format!("/v1/payments/{payment}/capture");
    assert_one(&race.at_once(&path, Keys::None, json!({})).await, 200, "payment_state_conflict");
    assert_eq!(race.records_of(&payment).await["captures"], 1);

    let payment = race.payment(true, "manual").await;
    let path = format!("/v1/payments/{payment}/capture");
    assert_same(&race.at_once(&path, Keys::One("capture"), json!({})).await, 200);
    assert_eq!(race.records_of(&payment).await["captures"], 1);
}

async fn refunds(race: &Race) {
    let payment = race.payment(true, "automatic").await;
    let replies =
        race.at_once("/v1/refunds", Keys::None, json!({ "payment": payment, "amount": 5_000 })).await;
    assert_one(&replies, 201, "refund_exceeds_remaining");
    assert_eq!(race.records_of(&payment).await["refunds"], 1);

    let payment = race.payment(true, "automatic").await;
    let body = json!({ "payment": payment, "amount": 5_000 });
    assert_same(&race.at_once("/v1/refunds", Keys::One("refund"), body).await, 201);
    assert_eq!(race.records_of(&payment).await["refunds"], 1);

    // As many parts as fit into the whole, and nothing above.
    let payment = race.payment(true, "automatic").await;
    let replies = race.at_once("/v1/refunds", Keys::None, json!({ "payment": payment, "amount": 300 })).await;
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

/// Fifty different keys: each is an operation of its own, one of which wins; and each key keeps its answer.
async fn different_keys(race: &Race) {
    let payment = race.payment(false, "automatic").await;
    let path = format!("/v1/payments/{payment}/confirm");
    let first = race.at_once(&path, Keys::Each("confirm"), json!({})).await;
    assert_one(&first, 200, "payment_state_conflict");
    let again = race.at_once(&path, Keys::Each("confirm"), json!({})).await;
    for (first, again) in first.iter().zip(&again) {
        assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
        assert_eq!(again.header("idempotency-replayed"), Some("true"), "{again:?}");
    }
    race.site.sandbox.assert_charged_once(&payment).await;

    // The natural key holds where the idempotency keys differ.
    let body = json!({
        "amount": 5_000, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true, "reference": "order-1",
    });
    let replies = race.at_once("/v1/payments", Keys::Each("order"), body).await;
    assert_one(&replies, 201, "reference_taken");
    let won = replies.iter().find(|reply| reply.status == 201).expect("one won").id();
    for lost in replies.iter().filter(|reply| reply.status == 409) {
        assert_eq!(lost.body["payment_id"], json!(won), "{lost:?}");
    }
    race.site.sandbox.assert_charged_once(&won).await;

    // Without one they are fifty payments, each charged once.
    let body =
        json!({ "amount": 5_000, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    let replies = race.at_once("/v1/payments", Keys::Each("many"), body).await;
    assert_eq!(counted(&replies), BTreeMap::from([((201, String::new()), MANY)]));
    let payments: BTreeSet<String> = replies.iter().map(Reply::id).collect();
    assert_eq!(payments.len(), MANY);
    for payment in &payments {
        race.site.sandbox.assert_charged_once(payment).await;
    }
}

async fn check(engine: Engine) {
    let Some(race) = Race::on(engine).await else { return };
    confirms(&race).await;
    captures(&race).await;
    refunds(&race).await;
    different_keys(&race).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_one_of_many_wins_and_money_moves_once() {
    check(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_one_of_many_wins_and_money_moves_once() {
    check(Engine::Postgres).await;
}
