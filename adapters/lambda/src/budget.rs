//! How the time of one invocation is spent, so that it always ends with an answer and never at the deadline.

use std::time::Duration;

use tokio::time::Instant;

/// What a room may need beyond its time to end: a COMMIT under way, the record of a refusal.
const ENDING: Duration = Duration::from_millis(300);
/// The bound on publishing what was committed.
pub(crate) const FLUSH: Duration = Duration::from_millis(300);
/// What the answer needs to be written and sent.
const ANSWER: Duration = Duration::from_millis(100);

/// Three instants, one after the other, all before the deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// Until here a room may run.
    pub(crate) room_ends: Instant,
    /// Here all work is cut off.
    pub(crate) work_ends: Instant,
    /// Here the answer is given, whatever was published.
    pub(crate) answer_is_due: Instant,
}

impl Budget {
    /// The budget of an invocation whose deadline is this far away. Where there is less than three times what
    /// the end needs, the end gets a third.
    pub(crate) fn of(time_left: Duration) -> Self {
        let whole_end = ENDING + FLUSH + ANSWER;
        let end = whole_end.min(time_left / 3);
        let share = |of: Duration| end.mul_f64(of.as_secs_f64() / whole_end.as_secs_f64());
        let deadline = Instant::now() + time_left;
        let answer_is_due = deadline - share(ANSWER);
        let work_ends = answer_is_due - share(FLUSH);
        Self { room_ends: work_ends - share(ENDING), work_ends, answer_is_due }
    }

    /// How long a room may still run.
    pub(crate) fn room_left(&self) -> Duration {
        self.room_ends.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_has_its_time_and_never_more_than_a_third() {
        for (left, room) in [(30_000, 29_300), (2_100, 1_400), (900, 600), (0, 0)] {
            let now = Instant::now();
            let budget = Budget::of(Duration::from_millis(left));
            let room_ends = budget.room_ends.duration_since(now).as_millis();
            assert!((room..room + 50).contains(&room_ends), "{room_ends} of {left}");
            assert!(budget.room_ends <= budget.work_ends && budget.work_ends <= budget.answer_is_due);
        }
    }
}
