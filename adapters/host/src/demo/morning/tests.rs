//! A morning against a suite that is not there: what needs a real one is tested against the binary.

use std::time::Duration;

use crate::demo::api::Api;
use crate::demo::fake::{Fake, Mood};
use crate::demo::interrupt::Interrupt;
use crate::demo::patience::Patience;

fn impatient() -> Patience {
    let moment = Duration::from_millis(2);
    Patience { away: moment, open: moment, first: moment, longest: moment, ..Patience::default() }
}

#[tokio::test]
async fn a_suite_that_stays_away_ends_the_morning_and_says_so() {
    let fake = Fake::start(vec![Mood::Unavailable; 1_000]).await;
    let api = Api::new(&fake.url, "token", impatient()).unwrap();
    let outcome = super::run(&api, 50, 4, 1, &Interrupt::default()).await.unwrap();
    assert_eq!(outcome.json["left"], 50);
    assert!(outcome.trouble.unwrap().starts_with("the suite is away"));
}

#[tokio::test]
async fn what_goes_otherwise_than_planned_is_named() {
    // Every card is declined, also those that never are, and for another reason.
    let fake = Fake::start(vec![Mood::Declines; 1_000]).await;
    let api = Api::new(&fake.url, "token", impatient()).unwrap();
    let outcome = super::run(&api, 20, 4, 1, &Interrupt::default()).await.unwrap();
    assert_eq!(outcome.json["unplanned"].as_array().unwrap().len(), 20);
    assert!(outcome.text.contains("payment 1: "), "{}", outcome.text);
    assert!(outcome.trouble.unwrap().starts_with("20 payments went otherwise"));
}
