//! One batch to SNS or to one queue: a single call, with an answer for each message.

use std::collections::BTreeMap;

use aws_sdk_sns::types as sns;
use aws_sdk_sqs::types as sqs;
use florin_queue::port::PublishError;

use super::message::Outgoing;
use crate::Inner;
use crate::trouble::AwsError;

/// Where a batch goes.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// To the topic of this ARN, and on to every subscription that lets it through.
    Topic(String),
    /// To the queue of this name.
    Queue(String),
}

/// What became of each message of a batch, by its place in it.
type Answers = BTreeMap<usize, Result<(), PublishError>>;

impl Inner {
    /// Sends a batch once. The results are in the order of the batch.
    pub(super) async fn send_once(
        &self,
        target: &Target,
        batch: &[&Outgoing],
    ) -> Result<Vec<Result<(), PublishError>>, AwsError> {
        let mut answers = match target {
            Target::Topic(arn) => self.send_to_topic(arn, batch).await?,
            Target::Queue(name) => self.send_to_queue(name, batch).await?,
        };
        let silent = || Err(PublishError::NotConfirmed("the answer does not name the message".to_owned()));
        Ok((0..batch.len()).map(|place| answers.remove(&place).unwrap_or_else(silent)).collect())
    }

    async fn send_to_queue(&self, name: &str, batch: &[&Outgoing]) -> Result<Answers, AwsError> {
        let url = self.url(name).await?;
        let mut call = self.sqs.send_message_batch().queue_url(url);
        for (place, outgoing) in batch.iter().enumerate() {
            let mut entry = sqs::SendMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .message_body(outgoing.message.body.clone());
            for (name, value) in &outgoing.message.attributes {
                let value = sqs::MessageAttributeValue::builder().data_type("String").string_value(value);
                entry = entry.message_attributes(name, value.build().expect("the data type is set"));
            }
            call = call.entries(entry.build().expect("identifier and body are set"));
        }
        let answer = call.send().await.map_err(AwsError::from)?;
        let sent = answer.successful.into_iter().map(|entry| (entry.id, Ok(())));
        let failed = answer
            .failed
            .into_iter()
            .map(|entry| (entry.id, Err(refused(entry.sender_fault, &entry.code, entry.message.as_deref()))));
        Ok(by_place(sent.chain(failed)))
    }

    async fn send_to_topic(&self, arn: &str, batch: &[&Outgoing]) -> Result<Answers, AwsError> {
        let mut call = self.sns.publish_batch().topic_arn(arn);
        for (place, outgoing) in batch.iter().enumerate() {
            let mut entry = sns::PublishBatchRequestEntry::builder()
                .id(place.to_string())
                .message(outgoing.message.body.clone());
            for (name, value) in &outgoing.message.attributes {
                let value = sns::MessageAttributeValue::builder().data_type("String").string_value(value);
                entry = entry.message_attributes(name, value.build().expect("the data type is set"));
            }
            call = call.publish_batch_request_entries(entry.build().expect("identifier and message are set"));
        }
        let answer = call.send().await.map_err(AwsError::from)?;
        let sent = answer.successful.unwrap_or_default().into_iter();
        let sent = sent.map(|entry| (entry.id.unwrap_or_default(), Ok(())));
        let failed =
            answer.failed.unwrap_or_default().into_iter().map(|entry| {
                (entry.id, Err(refused(entry.sender_fault, &entry.code, entry.message.as_deref())))
            });
        Ok(by_place(sent.chain(failed)))
    }
}

fn by_place(named: impl Iterator<Item = (String, Result<(), PublishError>)>) -> Answers {
    named.filter_map(|(id, result)| Some((id.parse().ok()?, result))).collect()
}

fn refused(sender_fault: bool, code: &str, message: Option<&str>) -> PublishError {
    let why = format!("{code}: {}", message.unwrap_or("no message"));
    if sender_fault { PublishError::Refused(why) } else { PublishError::NotConfirmed(why) }
}
