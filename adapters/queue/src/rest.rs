//! How long a message rests that nobody could attempt, where the broker counts its deliveries.

use std::time::Duration;

/// How long a message stays away that was delivered this often, this time included, and could not be attempted.
///
/// SQS moves a message to its dead queue instead of delivering it for the 101st time (the receive count *exceeds*
/// `maxReceiveCount`), whoever had it and whatever came of it, and a database may be away for a day. So the nearer the
/// limit, the longer the rest: none up to the 25th delivery, which is what keeps a short outage short, and from there
/// five minutes, a quarter of an hour and an hour, for 25 deliveries each. That is 33 hours, however many processes take
/// turns.
pub fn redelivery_delay(receive_count: u32) -> Duration {
    const MINUTE: u64 = 60;
    Duration::from_secs(match receive_count {
        0..25 => 0,
        25..50 => 5 * MINUTE,
        50..75 => 15 * MINUTE,
        _ => 60 * MINUTE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_outlives_a_database_that_is_away_for_a_day_though_a_hundred_deliveries_end_it() {
        let rests: Duration = (1..100).map(redelivery_delay).sum();
        assert!(rests > Duration::from_secs(30 * 60 * 60), "{rests:?}");
        assert_eq!(redelivery_delay(24), Duration::ZERO, "a short outage delays nothing");
        assert!(
            redelivery_delay(u32::MAX) <= Duration::from_secs(60 * 60),
            "nor does a long one by more than an hour"
        );
    }
}
