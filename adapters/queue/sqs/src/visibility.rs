//! When a message comes again: its visibility time-out, in whole seconds.

use std::time::Duration;

use florin_kernel::failpoint;
use florin_queue::port::QueueError;

use crate::Sqs;

/// The longest that SQS holds a message, from the moment it was received.
const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);
/// How long a Lambda may have held a message before it asks: the longest that one runs.
const LAMBDA: Duration = Duration::from_secs(15 * 60);

/// Seconds to hold a message that has been held for `held`: never shorter than asked, except that SQS refuses
/// what would add up to more than twelve hours.
pub(crate) fn seconds(after: Duration, held: Duration) -> i32 {
    let up = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0));
    // One second for the way to AWS.
    let most = LONGEST.saturating_sub(held).as_secs().saturating_sub(1);
    i32::try_from(up.min(most)).unwrap_or(i32::MAX)
}

impl Sqs {
    /// Makes a message come again after this, and not before: for whoever was handed it by an event source
    /// mapping and then leaves it in the queue. More than eleven hours and three quarters become that.
    ///
    /// # Errors
    /// AWS did not take it: the message comes again after the queue's own time-out.
    pub async fn change_visibility(
        &self,
        queue_arn: &str,
        receipt_handle: &str,
        after: Duration,
    ) -> Result<(), QueueError> {
        let url = self.inner.url_of_arn(queue_arn).await?;
        let call = self.inner.sqs.change_message_visibility().queue_url(url).receipt_handle(receipt_handle);
        failpoint::hit(failpoint::BEFORE_VISIBILITY);
        let answer = call.visibility_timeout(seconds(after, LAMBDA)).send().await;
        answer.map(|_| ()).map_err(|error| crate::trouble::AwsError::from(error).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_never_comes_before_it_is_asked_for_nor_is_held_over_twelve_hours() {
        let ms = Duration::from_millis;
        for (after, held, expected) in [
            (ms(0), ms(0), 0),
            (ms(1), ms(0), 1),
            (ms(1_000), ms(0), 1),
            (ms(1_001), ms(0), 2),
            (LONGEST, ms(0), 43_199),
            (LONGEST, LAMBDA, 42_299),
            (Duration::MAX, LONGEST * 2, 0),
        ] {
            assert_eq!(seconds(after, held), expected, "{after:?} {held:?}");
        }
    }
}
