//! Two rounds of chaos on each set-up, always the same; `cargo xtask chaos` runs as many as one has time for.

use florin_conformance::chaos::{On, Options, run};
use florin_servers::Part;

/// Rounds of so many requests.
const ROUNDS: u64 = 2;
const REQUESTS: u64 = 200;

/// The points that the two rounds of this seed arm lie on the way of every payment.
const SEED: u64 = 5;

async fn check(on: On, parts: &[Part]) {
    // All are asked, so that each that is missing is reported.
    if parts.iter().filter(|part| part.needed().is_none()).count() > 0 {
        return;
    }
    let options = Options { on, rounds: ROUNDS, seed: SEED, requests: REQUESTS, own_servers: false };
    let summary = run(&options, |_| {}).await.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(summary.rounds, ROUNDS);
    assert!(summary.requests >= ROUNDS * REQUESTS, "{summary}");
    assert!(summary.kills >= ROUNDS, "nobody was killed: {summary}");
    assert!(summary.kills_by_point.values().sum::<u64>() > 0, "nobody died at a point: {summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_and_double_nothing_in_one_process_with_sqlite() {
    check(On::SqliteEmbedded, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_and_double_nothing_in_containers_with_postgresql_and_rabbitmq() {
    check(On::PostgresRabbitmq, &[Part::Postgres, Part::RabbitMq]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_and_double_nothing_in_functions_with_sqs() {
    check(On::LambdaSqs, &[Part::Postgres]).await;
}
