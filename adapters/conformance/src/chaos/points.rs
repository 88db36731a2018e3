//! The points at which a round kills, and how often each is passed.

use florin_kernel::failpoint;

use super::dice::Dice;
use super::world::On;

/// A point, and up to which hit it may kill: rare ones at their first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) name: &'static str,
    pub(crate) latest: u64,
}

impl Point {
    /// Whether only a process passes it that is told to end.
    pub(crate) fn is_of_drain(self) -> bool {
        LONG_LIVED.iter().any(|point| point.name == self.name)
    }
}

const fn point(name: &'static str, latest: u64) -> Point {
    Point { name, latest }
}

/// What every deployment passes.
const EVERYWHERE: [Point; 22] = [
    point(failpoint::COMMAND_BEFORE_COMMIT, 60),
    point(failpoint::COMMAND_AFTER_COMMIT, 60),
    point(failpoint::EFFECT_BEFORE_CALL, 30),
    point(failpoint::EFFECT_DURING_CALL, 30),
    point(failpoint::EFFECT_AFTER_CALL, 30),
    point(failpoint::RECORD_BEFORE_COMMIT, 30),
    point(failpoint::RECORD_AFTER_COMMIT, 30),
    point(failpoint::SWEEP_LEASED, 3),
    point(failpoint::RELAY_BEFORE_PUBLISH, 15),
    point(failpoint::RELAY_DURING_PUBLISH, 15),
    point(failpoint::RELAY_AFTER_PUBLISH, 15),
    point(failpoint::RELAY_AFTER_MARKED, 15),
    point(failpoint::DELIVERY_INBOX, 80),
    point(failpoint::DELIVERY_BEFORE_COMMIT, 80),
    point(failpoint::DELIVERY_BEFORE_ACK, 80),
    point(failpoint::DELIVERY_ATTEMPT_COUNTED, 10),
    point(failpoint::DEAD_LETTER_BEFORE_COMMIT, 1),
    point(failpoint::DEAD_LETTER_BEFORE_ACK, 1),
    point(failpoint::JOB_BEFORE_SLOT, 1),
    point(failpoint::JOB_AFTER_SLOT, 1),
    point(failpoint::JOB_ITEM_BEFORE_COMMIT, 1),
    point(failpoint::JOB_ITEM_AFTER_COMMIT, 1),
];

/// What only a process passes that is told to end.
const LONG_LIVED: [Point; 2] =
    [point(failpoint::DRAIN_BEGUN, 1), point(failpoint::DRAIN_BEFORE_LAST_PUBLISH, 1)];

/// What only a function passes.
const FROZEN: [Point; 1] = [point(failpoint::LAMBDA_BEFORE_ANSWER, 60)];

/// What a retry passes where the broker has to be asked for it.
const BY_RABBITMQ: [Point; 1] = [point(failpoint::MOVED_BEFORE_ACK, 10)];
const BY_SQS: [Point; 1] = [point(failpoint::BEFORE_VISIBILITY, 10)];

/// The points of a deployment.
pub(crate) fn of(on: On) -> Vec<Point> {
    let (platform, broker): (&[Point], &[Point]) = match on {
        On::SqliteEmbedded => (&LONG_LIVED, &[]),
        On::PostgresRabbitmq => (&LONG_LIVED, &BY_RABBITMQ),
        On::LambdaSqs => (&FROZEN, &BY_SQS),
    };
    [&EVERYWHERE, platform, broker].concat()
}

/// How many points a round arms.
pub(crate) const EACH_ROUND: usize = 3;

/// The points of a round with the hit at which each kills. Following seeds take them in turn, so that all of them have
/// theirs equally often; the end of a drain has rounds of its own, because at another point its process would be killed
/// before.
pub(crate) fn of_round(on: On, seed: u64) -> Vec<(Point, u64)> {
    let (end, beside): (Vec<Point>, Vec<Point>) =
        of(on).into_iter().partition(|point| point.name == failpoint::DRAIN_BEFORE_LAST_PUBLISH);
    let turns = beside.len() + end.len() * EACH_ROUND;
    let turn = usize::try_from(seed % u64::try_from(turns).unwrap_or(1)).unwrap_or(0);
    let mut dice = Dice::of(seed, "points");
    let mut armed = |point: Point| (point, 1 + dice.below(point.latest));
    if turn >= beside.len() {
        return end.into_iter().map(armed).collect();
    }
    // A third of them apart: the three of a round lie in different parts of the way.
    let apart = beside.len().div_ceil(EACH_ROUND);
    (0..EACH_ROUND).map(|which| armed(beside[(turn + which * apart) % beside.len()])).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn in_three_hundred_rounds_each_point_is_armed_far_more_often_than_it_has_to_kill() {
        for on in On::ALL {
            let mut armed: BTreeMap<&str, u64> = of(on).iter().map(|point| (point.name, 0)).collect();
            for (point, _) in (1_000..1_300).flat_map(|seed| of_round(on, seed)) {
                *armed.get_mut(point.name).expect("a point of this set-up") += 1;
            }
            assert!(armed.values().all(|times| *times >= 33), "{on}: {armed:?}");
        }
    }

    #[test]
    fn the_end_of_a_drain_is_armed_alone() {
        let rounds = (0..50).map(|seed| of_round(On::SqliteEmbedded, seed));
        let ends: Vec<_> = rounds
            .filter(|round| round.iter().any(|(point, _)| point.name == failpoint::DRAIN_BEFORE_LAST_PUBLISH))
            .collect();
        assert!(!ends.is_empty() && ends.iter().all(|round| round.len() == 1), "{ends:?}");
    }
}
