//! Count an event once more; of some events the first attempts, or the first two, ask to be made again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use florin_kernel::cx::Cx;
use florin_kernel::event::Pattern;
use florin_kernel::function::{Fact, Reaction};
use florin_kernel::stop::Stop;
use serde_json::Value;

use super::TallyId;

/// Of so many events one asks for a retry, and of so many one asks twice.
const RETRIED: u64 = 8;
const RETRIED_TWICE: u64 = 32;

/// When the second retry is wanted: sooner than the ladder would have it, so that a round does not wait for it.
const SOON: Duration = Duration::from_secs(1);

/// Whatever happens to a payment or a refund.
pub(super) struct CountEvent;

impl Reaction for CountEvent {
    const NAME: &'static str = "tally.count_event";
    const ON: &'static [Pattern] = super::COUNTED;
    type Data = Value;

    async fn run(fact: Fact<Value>, cx: &mut Cx) -> Result<(), Stop> {
        let Fact { event, .. } = fact;
        // A room is not told which attempt it is, and none of a real service may depend on it.
        let attempt: Option<(i64,)> = cx
            .sql(
                "SELECT attempts
                 FROM florin_inbox
                 WHERE function = $1 AND source = $2 AND event_id = $3",
            )
            .bind(Self::NAME)
            .bind(event.source.clone())
            .bind(event.id.clone())
            .first()
            .await?;
        let attempt = attempt.map_or(0, |(attempt,)| attempt);
        let retries = retries(&event.id);
        let (tenant, id) = (cx.tenant(), cx.new_id() as TallyId);
        cx.sql(
            "INSERT INTO tallies (id, tenant, source, event_id, times, attempts, retries)
             VALUES ($1, $2, $3, $4, 1, $5, $6)
             ON CONFLICT (tenant, source, event_id) DO UPDATE
             SET times = tallies.times + 1",
        )
        .bind(id)
        .bind(tenant)
        .bind(event.source)
        .bind(event.id)
        .bind(attempt)
        .bind(retries)
        .run()
        .await?;
        // After the change: it has to be rolled back with the attempt.
        match attempt {
            1 if retries >= 1 => Err(Stop::retry("the first attempt is not enough")),
            2 if retries >= 2 => Err(Stop::Retry { after: Some(SOON), why: "nor is the second".to_owned() }),
            _ => Ok(()),
        }
    }
}

/// How often an event asks for a retry: the event's own number, whoever takes it.
fn retries(event_id: &str) -> i64 {
    let mut hash = DefaultHasher::new();
    event_id.hash(&mut hash);
    let lot = hash.finish();
    i64::from(lot.is_multiple_of(RETRIED)) + i64::from(lot.is_multiple_of(RETRIED_TWICE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_events_ask_for_a_retry_and_a_few_of_them_for_two() {
        let asked: Vec<i64> = (0..3_200).map(|number| retries(&format!("evt_{number}"))).collect();
        let times = |wanted: i64| asked.iter().filter(|&&times| times == wanted).count();
        assert!((200..400).contains(&times(1)), "{}", times(1));
        assert!((50..200).contains(&times(2)), "{}", times(2));
        assert_eq!(times(0) + times(1) + times(2), asked.len());
    }
}
