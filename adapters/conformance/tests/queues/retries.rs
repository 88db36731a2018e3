//! What a reaction answers decides when, and whether, an event comes again.

use std::time::Duration;

use florin_conformance::depth;
use florin_kernel::corridor::Disposition;
use florin_kernel::rows::dead_letters;
use florin_kernel::service::Settings;
use florin_kernel::time::Clock;
use florin_queue::features::Delay;

use crate::consuming::Outcome;
use crate::corner::Corner;
use crate::desk::{FOLLOW, TALLY_ANSWER};
use crate::looks::{attempts, tallied};
use crate::place::Place;
use crate::sample::told;

pub(crate) async fn a_retry_comes_at_its_time_and_not_before(corner: Corner) {
    corner.declare(&[FOLLOW]).await;
    let consuming = corner.consume(FOLLOW, 1).await;
    match corner.features().delay {
        // The clock is ours, so nothing is waited for.
        Delay::Instant => {
            let late = told(&["retry 30000", "done"]);
            corner.publish(std::slice::from_ref(&late)).await;
            consuming.handled(&late.id, 1).await;
            for advance in [0, 29] {
                corner.suite.advance(Duration::from_secs(advance));
                // What is published now would come after it, if it were due.
                let marker = told(&["done"]);
                corner.publish(std::slice::from_ref(&marker)).await;
                consuming.handled(&marker.id, 1).await;
                assert_eq!(consuming.times(&late.id), 1);
            }
            corner.suite.advance(Duration::from_secs(1));
            consuming.handled(&late.id, 2).await;
            consuming.stop().await;
        }
        // The shortest that each of these can wait is a second.
        Delay::Ladder | Delay::Seconds | Delay::Asked => {
            // The ladder's second step is five.
            let second = if corner.features().delay == Delay::Ladder { 1_000 } else { 1_500 };
            let late = told(&["retry 700", &format!("retry {second}"), "done"]);
            corner.publish(std::slice::from_ref(&late)).await;
            let handled = consuming.handled(&late.id, 3).await;
            let outcomes: Vec<Outcome> = handled.iter().map(|one| one.outcome).collect();
            assert_eq!(outcomes, [Outcome::Later, Outcome::Later, Outcome::Taken]);
            for (pair, at_least_ms) in handled.windows(2).zip([1_000, second]) {
                let waited = pair[1].began - pair[0].ended;
                assert!(waited >= Duration::from_millis(at_least_ms), "it came again after {waited:?}");
            }
            consuming.stop().await;
        }
    }
    corner.assert_empty(FOLLOW).await;
    if corner.features().delay != Delay::Instant {
        assert_due_in_time(&corner).await;
    }
}

/// A retry is not due later than it asked for, either: the broker is looked at, since a clock that is real says of a
/// slow machine only that it is slow.
async fn assert_due_in_time(corner: &Corner) {
    const ASKED: Duration = Duration::from_secs(25 * 60);
    let late = told(&[&format!("retry {}", ASKED.as_millis())]);
    let before = Clock::System.now();
    let consuming = corner.consume(FOLLOW, 1).await;
    corner.publish(std::slice::from_ref(&late)).await;
    let first = consuming.handled(&late.id, 1).await.remove(0);
    assert_eq!(first.outcome, Outcome::Later);
    // The broker has been told when this is over.
    consuming.stop().await;
    match corner.place() {
        Some(Place::RabbitMq { url, prefix }) => {
            // The first step that is as long.
            let held = depth::rabbitmq_ladder(&url, &prefix, FOLLOW).await;
            assert_eq!(held, [(Duration::from_secs(30 * 60), 1)]);
        }
        Some(Place::Sqs(config)) => {
            let endpoint = config.endpoint.as_deref().unwrap_or_default();
            let due = depth::sqs_visible_at(endpoint, &late.id).await;
            // It was said between these two instants, whatever the machine did meanwhile.
            let said = before.plus(ASKED).as_millis()..=Clock::System.now().plus(ASKED).as_millis();
            assert!(said.contains(&due), "due at {due}, and not within {said:?}");
        }
        Some(Place::Embedded(_)) => panic!("its clock is ours"),
        None => assert_eq!(first.asked, Some(ASKED)),
    }
}

pub(crate) async fn one_function_that_fails_leaves_the_others_alone(corner: Corner) {
    corner.declare(&[FOLLOW, TALLY_ANSWER]).await;
    let failing = told(&["retry 3600000"]);
    let events = [failing.clone(), told(&["done"]), told(&["refuse"]), told(&["fault"])];
    corner.publish(&events).await;
    let (follows, tallies) = (corner.consume(FOLLOW, 1).await, corner.consume(TALLY_ANSWER, 1).await);
    for event in &events {
        // Neither the neighbours in its own queue nor the other function wait for the one that fails.
        follows.handled(&event.id, 1).await;
        tallies.handled(&event.id, 1).await;
    }
    follows.stop().await;
    tallies.stop().await;
    corner.assert_empty(TALLY_ANSWER).await;
    let counted = tallied(corner.desk(), TALLY_ANSWER).await;
    assert!(events.iter().all(|event| counted.get(&event.id) == Some(&1)), "{counted:?}");
    let followed = tallied(corner.desk(), FOLLOW).await;
    assert_eq!(followed.into_keys().collect::<Vec<_>>(), [events[1].id.clone()], "a failure left something");
}

pub(crate) async fn what_is_refused_is_a_dead_letter_and_is_replayed_by_the_ordinary_path(corner: Corner) {
    corner.declare(&[FOLLOW]).await;
    let refused = told(&["refuse", "refuse", "done"]);
    let consuming = corner.consume(FOLLOW, 1).await;
    corner.publish(std::slice::from_ref(&refused)).await;
    assert_eq!(consuming.handled(&refused.id, 1).await[0].outcome, Outcome::Taken);
    consuming.stop().await;
    corner.assert_empty(FOLLOW).await;
    corner.assert_nothing_set_aside(FOLLOW).await;

    let desk = corner.desk();
    let letters = async || dead_letters::list(desk, 10).await.expect("the dead letters are read");
    let [letter] = &letters().await[..] else { panic!("one dead letter") };
    assert_eq!((letter.event_id.as_str(), letter.code.as_str()), (refused.id.as_str(), "as_told"));
    assert!(tallied(desk, FOLLOW).await.is_empty());
    // It may be refused again, and stays then.
    let again = dead_letters::replay(desk, letter).await.expect("the database answers");
    assert_eq!(again, Disposition::Permanent { code: "as_told".to_owned() });
    assert_eq!(letters().await.len(), 1);
    let again = dead_letters::replay(desk, letter).await.expect("the database answers");
    assert_eq!(again, Disposition::Done);
    assert!(letters().await.is_empty());
    assert_eq!(tallied(desk, FOLLOW).await[&refused.id], 1);
}

pub(crate) async fn our_limit_of_attempts_is_reached_before_the_brokers(corner: Corner) {
    let ours = Settings::default().attempts;
    let theirs = corner.features().delivery_limit;
    assert!(theirs.is_none_or(|limit| i64::from(limit) > 4 * ours), "{theirs:?} is only a backstop");
    corner.declare(&[FOLLOW]).await;
    let hopeless = told(&["retry 0"]);
    let consuming = corner.consume(FOLLOW, 1).await;
    corner.publish(std::slice::from_ref(&hopeless)).await;
    let times = usize::try_from(ours).expect("a few");
    let handled = consuming.handled(&hopeless.id, times).await;
    let outcomes: Vec<Outcome> = handled.iter().map(|one| one.outcome).collect();
    assert_eq!(outcomes, [vec![Outcome::Later; times - 1], vec![Outcome::Taken]].concat());
    consuming.stop().await;
    corner.assert_empty(FOLLOW).await;
    corner.assert_nothing_set_aside(FOLLOW).await;
    let letters = dead_letters::list(corner.desk(), 10).await.expect("the dead letters are read");
    assert_eq!(letters.iter().map(|letter| letter.attempts).collect::<Vec<_>>(), [ours]);
    assert_eq!(attempts(corner.desk(), FOLLOW).await, [ours]);
}
