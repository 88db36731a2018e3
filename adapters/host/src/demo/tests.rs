//! The demo against the whole suite: the morning goes as planned, and purchases are paid once.

use std::path::PathBuf;
use std::time::Duration;

use florin_kernel::time::{Clock, Timestamp};
use serde_json::{Value, json};

use super::interrupt::Interrupt;
use super::suite::Suite;
use super::{morning, purchases};

const ANYWHERE: &str = "127.0.0.1:0";

fn clock() -> Clock {
    Clock::standing_at(Timestamp::from_micros(1_767_600_000_000_000))
}

/// Purchases of 1.00 to 40.00 USD, the seventh of nothing.
fn purchases_in(directory: &tempfile::TempDir) -> PathBuf {
    let path = directory.path().join("purchases.csv");
    let mut text = "customer,date,quantity,amount,currency\n".to_owned();
    for row in 1..=40 {
        let amount = if row == 7 { 0 } else { row };
        text += &format!("{row:05},1997-01-01,1,{amount}.00,USD\n");
    }
    std::fs::write(&path, text).unwrap();
    path
}

/// The cents of all but the seventh.
const SUM: u64 = (40 * 41 / 2 - 7) * 100;

/// succeeded, already paid, refused, unpaid, left.
fn counts(summary: &Value) -> [u64; 5] {
    let count =
        |name: &str| summary[name].as_u64().unwrap_or_else(|| summary[name].as_array().unwrap().len() as u64);
    ["succeeded", "already_paid", "refused", "unpaid", "left"].map(count)
}

/// How often something was charged, how much, and what was charged twice.
async fn charged(suite: &Suite) -> (Value, Value, Value) {
    let charged = suite.charged().await;
    let captured = &charged["currencies"]["USD"]["captured"];
    (captured["count"].clone(), captured["amount"].clone(), charged["duplicate_references"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_story_of_the_morning_goes_as_planned_and_leaves_its_trail() {
    let directory = tempfile::tempdir().unwrap();
    let suite = Suite::start(directory.path(), clock(), ANYWHERE.parse().unwrap()).await;
    let outcome = morning::run(&suite.api(), 30, 8, 1, &Interrupt::default()).await.unwrap();
    assert_eq!(outcome.trouble, None, "{}", outcome.text);
    let by_status = outcome.json["by_status"].as_object().unwrap();
    assert_eq!(by_status.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), 30);
    assert_eq!(by_status.keys().collect::<Vec<_>>(), ["canceled", "requires_payment_method", "succeeded"]);
    let records = outcome.json["trail"]["records"].as_array().unwrap();
    let events: Vec<_> =
        records.iter().filter(|r| r["kind"] == "event").map(|r| r["name"].as_str().unwrap()).collect();
    for event in
        ["payment.created", "payment.authorized", "payment.captured", "refund.succeeded", "payment.refunded"]
    {
        assert!(events.contains(&format!("florin.{event}.v1").as_str()), "{event} is not in {events:?}");
    }
    assert!(outcome.text.lines().all(|line| line.chars().count() <= 80), "{}", outcome.text);
    // The same seed again, on the same suite, is another morning that goes as well.
    let again = morning::run(&suite.api(), 15, 8, 1, &Interrupt::default()).await.unwrap();
    assert_eq!(again.trouble, None, "{}", again.text);
    suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn purchases_are_charged_once_however_often_and_late_they_are_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let (file, clock) = (purchases_in(&directory), clock());
    let suite = Suite::start(directory.path(), clock.clone(), ANYWHERE.parse().unwrap()).await;
    let mut seen = Vec::new();
    for hours in [0, 1, 25] {
        clock.advance(Duration::from_secs(hours * 60 * 60));
        suite.purge().await;
        let api = suite.api();
        let outcome = purchases::run(&api, &file, 8, &Interrupt::default()).await.unwrap();
        assert_eq!(outcome.trouble, None, "{}", outcome.text);
        assert_eq!(outcome.json["received"], json!({ "USD": SUM }));
        assert_eq!(outcome.json["refused"][0]["field"], "/amount");
        assert_eq!(charged(&suite).await, (json!(39), json!(SUM), json!([])), "after {hours} hours more");
        let looked_up =
            outcome.json["operations"].as_array().unwrap().iter().any(|o| o["operation"] == "get");
        seen.push((counts(&outcome.json), looked_up));
    }
    // The keys were known after an hour and forgotten after a day: then the reference says what stands.
    assert_eq!(seen, [([39, 0, 1, 0, 0], false), ([0, 39, 1, 0, 0], false), ([0, 39, 1, 0, 0], true)]);
    suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suite_that_stops_and_starts_only_delays_the_purchases() {
    let directory = tempfile::tempdir().unwrap();
    let (file, clock) = (purchases_in(&directory), clock());
    let suite = Suite::start(directory.path(), clock.clone(), ANYWHERE.parse().unwrap()).await;
    let (api, address) = (suite.api(), suite.address);
    let interrupt = Interrupt::default();
    let paying = purchases::run(&api, &file, 4, &interrupt);
    let restarting = async {
        while suite.charged().await["requests"]["keys"].as_u64() < Some(5) {
            tokio::task::yield_now().await;
        }
        suite.stop().await;
        Suite::start(directory.path(), clock, address).await
    };
    let (outcome, suite) = tokio::join!(paying, restarting);
    let outcome = outcome.unwrap();
    assert_eq!(outcome.trouble, None, "{}", outcome.text);
    assert_eq!(outcome.json["received"], json!({ "USD": SUM }));
    assert_eq!(charged(&suite).await, (json!(39), json!(SUM), json!([])));
    suite.stop().await;
}
