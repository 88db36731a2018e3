//! Purchases against a suite that is away, slow, forgetful or interrupted.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::file::PurchaseFile;
use crate::demo::api::Api;
use crate::demo::fake::{Fake, Mood, payment};
use crate::demo::interrupt::Interrupt;
use crate::demo::patience::Patience;

/// Two rows alike, one of nothing, one of an amount that is none.
const ROWS: &str = "customer,date,quantity,amount,currency\n\
    00004,1997-01-01,2,29.33,USD\n\
    00004,1997-01-01,2,29.33,USD\n\
    01101,1997-01-05,1,0.00,USD\n\
    00018,1997-01-04,1,14.9.6,USD\n\
    00021,1997-01-01,3,63.34,USD\n";
const PAID: i64 = 2933 + 2933 + 6334;

fn patience() -> Patience {
    Patience {
        away: Duration::from_secs(20),
        open: Duration::from_secs(20),
        first: Duration::from_millis(1),
        longest: Duration::from_millis(2),
        exchange: Duration::from_secs(20),
    }
}

struct File(#[expect(dead_code, reason = "is removed when it is dropped")] tempfile::TempDir, PathBuf);

fn file(text: &str) -> File {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("purchases.csv");
    std::fs::write(&path, text).unwrap();
    File(directory, path)
}

/// Runs the file against the suite, one row at a time: the summary, and the trouble.
async fn run(fake: &Fake, file: &File, patience: Patience, interrupt: &Interrupt) -> (Value, Option<String>) {
    let api = Api::new(&fake.url, "token", patience).unwrap();
    let outcome = super::run(&api, &file.1, 1, interrupt).await.unwrap();
    assert!(outcome.text.contains("already paid"), "{}", outcome.text);
    (outcome.json, outcome.trouble)
}

async fn run_plainly(fake: &Fake, file: &File) -> (Value, Option<String>) {
    run(fake, file, patience(), &Interrupt::default()).await
}

/// succeeded, already paid, refused, unpaid, left.
fn counts(summary: &Value) -> [u64; 5] {
    let count =
        |name: &str| summary[name].as_u64().unwrap_or_else(|| summary[name].as_array().unwrap().len() as u64);
    ["succeeded", "already_paid", "refused", "unpaid", "left"].map(count)
}

#[tokio::test]
async fn each_row_is_paid_and_what_cannot_be_is_refused_by_name() {
    let (fake, file) = (Fake::start([]).await, file(ROWS));
    let (summary, trouble) = run_plainly(&fake, &file).await;
    assert_eq!((counts(&summary), trouble), ([3, 0, 2, 0, 0], None));
    assert_eq!(summary["received"], json!({ "USD": PAID }));
    let refused = summary["refused"].as_array().unwrap();
    assert_eq!((&refused[0]["row"], &refused[0]["customer"]), (&json!(3), &json!("01101")));
    assert_eq!(refused[0]["field"], "/amount");
    assert_eq!(refused[0]["detail"], "must be an integer of 1 to 999999999999 minor units");
    assert_eq!((&refused[1]["row"], &refused[1]["field"]), (&json!(4), &json!("/amount")));
    assert_eq!(fake.charges(), [1, 1, 1]);
}

#[tokio::test]
async fn a_suite_that_is_away_for_a_while_is_asked_again_under_the_same_key() {
    let (fake, file) = (Fake::start([Mood::Unavailable, Mood::Unavailable]).await, file(ROWS));
    let (summary, trouble) = run_plainly(&fake, &file).await;
    assert_eq!((counts(&summary), trouble), ([3, 0, 2, 0, 0], None));
    let key = format!("{}-1", summary["digest"].as_str().unwrap());
    assert_eq!(fake.state.lock().unwrap().creates[..3], [key.clone(), key.clone(), key]);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_again_and_counts_as_this_runs_payment() {
    let (fake, file) = (Fake::start([Mood::Breaks]).await, file(ROWS));
    let (summary, trouble) = run_plainly(&fake, &file).await;
    assert_eq!((counts(&summary), trouble), ([3, 0, 2, 0, 0], None));
    assert_eq!(fake.charges(), [1, 1, 1]);
}

#[tokio::test]
async fn an_open_operation_is_followed_until_it_is_final() {
    let (fake, file) = (Fake::start([Mood::StaysOpen]).await, file(ROWS));
    let (summary, trouble) = run_plainly(&fake, &file).await;
    assert_eq!((counts(&summary), trouble), ([3, 0, 2, 0, 0], None));
    assert_eq!(summary["received"], json!({ "USD": PAID }));
    assert_eq!(fake.charges(), [1, 1, 1]);
}

#[tokio::test]
async fn a_repeat_charges_nothing_twice_while_the_keys_are_remembered() {
    let (fake, file) = (Fake::start([]).await, file(ROWS));
    run_plainly(&fake, &file).await;
    let (summary, trouble) = run_plainly(&fake, &file).await;
    assert_eq!((counts(&summary), trouble), ([0, 3, 2, 0, 0], None));
    assert_eq!(summary["received"], json!({ "USD": PAID }));
    assert_eq!(fake.charges(), [1, 1, 1]);
}

#[tokio::test]
async fn a_repeat_charges_nothing_twice_after_the_keys_are_forgotten() {
    let (fake, file) = (Fake::start([]).await, file(ROWS));
    run_plainly(&fake, &file).await;
    fake.forget_keys();
    let (summary, trouble) = run_plainly(&fake, &file).await;
    assert_eq!((counts(&summary), trouble), ([0, 3, 2, 0, 0], None));
    assert_eq!(summary["received"], json!({ "USD": PAID }));
    assert_eq!(fake.charges(), [1, 1, 1]);
}

#[tokio::test]
async fn a_payment_that_was_left_unfinished_is_finished_where_it_stands() {
    for (status, confirms) in
        [("requires_confirmation", 1), ("requires_payment_method", 1), ("processing", 0)]
    {
        let (fake, file) = (Fake::start([]).await, file(ROWS));
        let key = format!("{}-1", PurchaseFile::read(&file.1).unwrap().digest);
        let standing = payment("pay_before", status, 2933, &key);
        fake.state.lock().unwrap().stands(standing);
        let (summary, trouble) = run_plainly(&fake, &file).await;
        let before = 1 - confirms;
        assert_eq!((counts(&summary), trouble), ([3 - before, before, 2, 0, 0], None), "{status}");
        assert_eq!(fake.state.lock().unwrap().confirms.len() as u64, confirms, "{status}");
        assert!(fake.charges().iter().all(|charges| *charges == 1), "{status}");
    }
}

#[tokio::test]
async fn a_key_that_stands_for_other_bytes_is_looked_up_by_its_reference() {
    let (fake, file) = (Fake::start([]).await, file(ROWS));
    let key = format!("{}-1", PurchaseFile::read(&file.1).unwrap().digest);
    {
        let mut known = fake.state.lock().unwrap();
        known.stands(payment("pay_before", "succeeded", 2933, &key));
        known.key_stands_for_another(&key);
    }
    let (summary, trouble) = run_plainly(&fake, &file).await;
    assert_eq!((counts(&summary), trouble), ([2, 1, 2, 0, 0], None));
    assert_eq!(summary["received"], json!({ "USD": PAID }));
}

#[tokio::test]
async fn a_reference_that_stands_for_another_amount_is_not_taken_for_paid() {
    let (fake, file) = (Fake::start([]).await, file(ROWS));
    let key = format!("{}-1", PurchaseFile::read(&file.1).unwrap().digest);
    let other = payment("pay_other", "succeeded", 1, &key);
    fake.state.lock().unwrap().stands(other);
    let (summary, trouble) = run_plainly(&fake, &file).await;
    assert_eq!(counts(&summary), [2, 0, 2, 1, 0]);
    assert!(trouble.unwrap().starts_with("1 not paid, 0 left"));
}

#[tokio::test]
async fn a_declined_purchase_is_not_paid_and_does_not_stop_the_others() {
    let (fake, file) = (Fake::start([Mood::Declines]).await, file(ROWS));
    let (summary, trouble) = run_plainly(&fake, &file).await;
    assert_eq!(counts(&summary), [2, 0, 2, 1, 0]);
    assert_eq!(summary["unpaid"][0]["row"], 1);
    assert!(trouble.is_some());
}

#[tokio::test]
async fn an_interrupted_run_finishes_what_is_in_flight_and_its_repeat_pays_the_rest() {
    let (fake, file) = (Fake::start([]).await, file(ROWS));
    let interrupt = Interrupt::default();
    fake.state.lock().unwrap().stop_after = Some((2, interrupt.stop.clone()));
    let (summary, trouble) = run(&fake, &file, patience(), &interrupt).await;
    assert_eq!(counts(&summary), [2, 0, 0, 0, 3]);
    assert!(trouble.unwrap().contains("3 left"));
    let (summary, trouble) = run_plainly(&fake, &file).await;
    assert_eq!((counts(&summary), trouble), ([1, 2, 2, 0, 0], None));
    assert_eq!(fake.charges(), [1, 1, 1]);
}

#[tokio::test]
async fn a_suite_that_stays_away_or_denies_ends_the_run() {
    let impatient = Patience { away: Duration::from_millis(5), ..patience() };
    for (mood, times) in [(Mood::Unavailable, 10_000), (Mood::TokenExpired, 1)] {
        let (fake, file) = (Fake::start(vec![mood; times]).await, file(ROWS));
        let (summary, trouble) = run(&fake, &file, impatient, &Interrupt::default()).await;
        assert_eq!(counts(&summary), [0, 0, 0, 0, 5], "{mood:?}");
        assert!(trouble.unwrap().starts_with("the suite "), "{mood:?}");
    }
}

#[tokio::test]
async fn the_real_purchases_are_asked_for_to_the_cent() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/purchases.csv");
    if !std::path::Path::new(path).exists() {
        println!("SKIPPED: the real purchases (../shared/data/purchases.csv is not there)");
        return;
    }
    let fake = Fake::start([]).await;
    let api = Api::new(&fake.url, "token", patience()).unwrap();
    let outcome = super::run(&api, path.as_ref(), 8, &Interrupt::default()).await.unwrap();
    assert_eq!((counts(&outcome.json), outcome.trouble), ([6_911, 0, 8, 0, 0], None));
    assert_eq!(outcome.json["received"], json!({ "USD": 24_409_194 }));
    assert!(outcome.json["refused"].as_array().unwrap().iter().all(|refused| refused["field"] == "/amount"));
}
