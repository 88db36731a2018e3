//! Calls about many received messages: let go of them, or say when they come again.

use std::time::Duration;

use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
};
use tokio::time::sleep;

use crate::Inner;
use crate::trouble::AwsError;

/// The most messages of one call.
pub(crate) const MOST: usize = 10;
/// How often an entry is tried.
const ROUNDS: u32 = 3;
/// The pause before the second round; it doubles.
const PAUSE: Duration = Duration::from_millis(200);

impl Inner {
    /// Deletes messages, at most ten. What cannot be deleted comes again, and the inbox knows it.
    pub(crate) async fn delete(&self, url: &str, mut receipts: Vec<String>) {
        for round in 0..ROUNDS {
            let mut call = self.sqs.delete_message_batch().queue_url(url);
            for (place, receipt) in receipts.iter().enumerate() {
                let entry =
                    DeleteMessageBatchRequestEntry::builder().id(place.to_string()).receipt_handle(receipt);
                call = call.entries(entry.build().expect("identifier and receipt are set"));
            }
            let answer = call.send().await.map(|answer| answer.failed).map_err(AwsError::from);
            receipts = left(receipts, answer, "not deleted: it comes again");
            if receipts.is_empty() {
                return;
            }
            sleep(PAUSE * 2_u32.pow(round)).await;
        }
    }

    /// Says for messages, at most ten, in how many seconds from now they come again. Where that cannot be said,
    /// they come again when their hold ends.
    pub(crate) async fn postpone(&self, url: &str, mut messages: Vec<(String, i32)>) {
        for round in 0..ROUNDS {
            let mut call = self.sqs.change_message_visibility_batch().queue_url(url);
            for (place, (receipt, seconds)) in messages.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(place.to_string())
                    .receipt_handle(receipt)
                    .visibility_timeout(*seconds);
                call = call.entries(entry.build().expect("identifier and receipt are set"));
            }
            let answer = call.send().await.map(|answer| answer.failed).map_err(AwsError::from);
            messages = left(messages, answer, "when it comes again could not be said");
            if messages.is_empty() {
                return;
            }
            sleep(PAUSE * 2_u32.pow(round)).await;
        }
    }
}

/// What of a batch is to be tried again.
fn left<T>(batch: Vec<T>, answer: Result<Vec<BatchResultErrorEntry>, AwsError>, what: &str) -> Vec<T> {
    let failed = match answer {
        Ok(failed) => failed,
        Err(error) => {
            tracing::warn!(error.message = error.said, "{what}");
            return batch;
        }
    };
    for entry in &failed {
        tracing::warn!(error.code = entry.code, error.message = entry.message, "{what}");
    }
    // A fault of ours is a receipt that has run out: trying again does not help.
    let again = |place: usize| failed.iter().any(|f| !f.sender_fault && f.id.parse() == Ok(place));
    batch.into_iter().enumerate().filter(|(place, _)| again(*place)).map(|(_, entry)| entry).collect()
}
