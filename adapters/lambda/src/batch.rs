//! An SQS batch: each record is handled on its own, and what is not done is named in the answer.
//!
//! Order in a FIFO queue holds within a message group. After a failure the rest of its group is not tried and
//! is reported with it, so that it comes again behind the failed one; other groups go on.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::Instant;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The queue's identifier of the message, which the answer names.
    pub message_id: String,
    /// What changing its visibility needs.
    pub receipt_handle: String,
    /// The queue's name, the last part of its ARN.
    pub queue: String,
    /// The queue's whole ARN.
    pub queue_arn: String,
    /// The message group, in a FIFO queue.
    pub group: Option<String>,
    /// How often the queue has handed it out, this time included.
    pub receive_count: u32,
    /// The payload, in its envelope where SNS or EventBridge put one around it.
    pub body: String,
}

/// The event is not an SQS batch whose records can be named, so the whole of it has to come again.
#[derive(Debug, thiserror::Error)]
pub enum NotABatch {
    /// Not the shape of an SQS event.
    #[error("not an SQS event: {0}")]
    Shape(#[from] serde_json::Error),
    /// An answer with an empty identifier counts as the failure of all.
    #[error("a record without a messageId")]
    Unnamed,
}

#[derive(Deserialize)]
struct SqsEvent {
    #[serde(rename = "Records")]
    records: Vec<SqsRecord>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SqsRecord {
    #[serde(default)]
    message_id: String,
    #[serde(default)]
    receipt_handle: String,
    #[serde(default)]
    body: String,
    #[serde(default, rename = "eventSourceARN")]
    queue_arn: String,
    #[serde(default)]
    attributes: SystemAttributes,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SystemAttributes {
    message_group_id: Option<String>,
    approximate_receive_count: Option<String>,
}

/// The records of an SQS event, in the order they came.
pub fn records(event: &RawValue) -> Result<Vec<Record>, NotABatch> {
    let event: SqsEvent = serde_json::from_str(event.get())?;
    event.records.into_iter().map(record).collect()
}

fn record(sent: SqsRecord) -> Result<Record, NotABatch> {
    if sent.message_id.is_empty() {
        return Err(NotABatch::Unnamed);
    }
    let queue = sent.queue_arn.rsplit(':').next().unwrap_or_default().to_owned();
    // A FIFO queue always says the group; were it missing, all such messages are one group.
    let group = queue.ends_with(".fifo").then(|| sent.attributes.message_group_id.unwrap_or_default());
    let receive_count = sent.attributes.approximate_receive_count.and_then(|n| n.parse().ok()).unwrap_or(1);
    Ok(Record {
        message_id: sent.message_id,
        receipt_handle: sent.receipt_handle,
        queue,
        queue_arn: sent.queue_arn,
        group,
        receive_count,
        body: sent.body,
    })
}

/// What became of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is dealt with, for good; the queue deletes it.
    Done,
    /// It has to come again.
    Failed,
    /// Nobody could try it, as when the database is away: it has to come again, and so have the rest, which
    /// would only wait for the same.
    NotAttempted,
}

/// The answer that `ReportBatchItemFailures` asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAnswer {
    /// What has to come again; nothing here means that all is done.
    pub batch_item_failures: Vec<ItemFailure>,
}

/// One message that has to come again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// Its `messageId`.
    pub item_identifier: String,
}

/// What a message that nobody could try has to be known by, to stay away for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resting {
    /// The whole ARN of its queue.
    pub queue_arn: String,
    /// What changing its visibility needs.
    pub receipt_handle: String,
    /// How often the queue has handed it out, this time included.
    pub receive_count: u32,
}

impl Resting {
    fn of(record: &Record) -> Self {
        Self {
            queue_arn: record.queue_arn.clone(),
            receipt_handle: record.receipt_handle.clone(),
            receive_count: record.receive_count,
        }
    }
}

/// Handles the records one after the other until the deadline; the answer, and what may rest: the record that nobody
/// could try, and those behind it.
///
/// A record that is not reached, that is being handled when the deadline comes (its future is dropped, and
/// with it the transaction), or whose handler panics, is reported and touches no other.
pub async fn run<F>(
    records: Vec<Record>,
    deadline: Instant,
    handle: impl Fn(Record) -> F,
) -> (BatchAnswer, Vec<Resting>)
where
    F: Future<Output = Outcome>,
{
    let (mut answer, mut resting) = (BatchAnswer::default(), Vec::new());
    let mut stopped_groups = BTreeSet::new();
    let (mut late, mut away) = (false, false);
    for record in records {
        let message_id = record.message_id.clone();
        let group = record.group.clone();
        let rests = Resting::of(&record);
        late |= Instant::now() >= deadline;
        let outcome = if away {
            Outcome::NotAttempted
        } else if late || group.as_ref().is_some_and(|group| stopped_groups.contains(group)) {
            Outcome::Failed
        } else {
            let handled = AssertUnwindSafe(async { handle(record).await }).catch_unwind();
            match tokio::time::timeout_at(deadline, handled).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => {
                    tracing::error!(messaging.message.id = %message_id, "handling the message panicked");
                    Outcome::Failed
                }
                Err(_) => {
                    tracing::warn!(messaging.message.id = %message_id, "the deadline came while handling the message");
                    Outcome::Failed
                }
            }
        };
        if outcome == Outcome::NotAttempted {
            away = true;
            resting.push(rests);
        }
        if outcome != Outcome::Done {
            stopped_groups.extend(group);
            answer.batch_item_failures.push(ItemFailure { item_identifier: message_id });
        }
    }
    (answer, resting)
}
