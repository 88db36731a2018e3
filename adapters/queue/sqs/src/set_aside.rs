//! A look into the dead queues, which leaves everything where it is.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use florin_queue::port::{QueueError, SetAside, Subscription};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::Inner;
use crate::dead::WHY;
use crate::settle::MOST;
use crate::trouble::{AwsError, Trouble};

/// How long a message that is looked at is hidden, should the process end before it gives it back, in seconds.
/// Hidden, because the next look would otherwise show the same ones again.
const HIDDEN_S: i32 = 30;
/// How long one look waits, in seconds: without waiting SQS asks only some of its servers.
const WAIT_S: i32 = 1;
/// Why a message is there that Florin did not move.
const MOVED: &str =
    "it was delivered a hundred times and never answered, or SNS could not put it into its queue";
/// How many queues are looked into at once.
const PARALLEL: usize = 8;

impl Inner {
    /// What is in the dead queues, at most `most` of each.
    pub(crate) async fn set_aside(
        &self,
        subscriptions: &[Subscription],
        most: usize,
    ) -> Result<Vec<SetAside>, QueueError> {
        let looks: Vec<_> = subscriptions.iter().map(|subscription| self.look(*subscription, most)).collect();
        let found: Vec<Vec<SetAside>> = stream::iter(looks).buffered(PARALLEL).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn look(&self, subscription: Subscription, most: usize) -> Result<Vec<SetAside>, QueueError> {
        let url = match self.url(&self.config.dead_queue_name(subscription.function)).await {
            Ok(url) => url,
            Err(error) if error.trouble == Trouble::NoQueue => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut found = BTreeMap::new();
        let mut receipts = Vec::new();
        let mut trouble = None;
        while found.len() < most {
            let seen = found.len();
            match self.peek(&url, most - seen).await {
                Ok(messages) => {
                    for message in messages {
                        receipts.push((message.receipt_handle.clone().unwrap_or_default(), 0));
                        let id = message.message_id.clone().unwrap_or_default();
                        found.insert(id, about(subscription.function, message));
                    }
                }
                Err(error) => trouble = Some(error),
            }
            if found.len() == seen {
                break;
            }
        }
        for batch in receipts.chunks(MOST) {
            self.postpone(&url, batch.to_vec()).await;
        }
        match trouble {
            Some(error) => Err(error.into()),
            None => Ok(found.into_values().collect()),
        }
    }

    async fn peek(&self, url: &str, most: usize) -> Result<Vec<Message>, AwsError> {
        let call = self.sqs.receive_message().queue_url(url);
        let answer = call
            .max_number_of_messages(i32::try_from(most.clamp(1, MOST)).unwrap_or(1))
            .wait_time_seconds(WAIT_S)
            .visibility_timeout(HIDDEN_S)
            .message_attribute_names(WHY)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .send()
            .await?;
        Ok(answer.messages.unwrap_or_default())
    }
}

fn about(function: &str, message: Message) -> SetAside {
    let why = message.message_attributes.as_ref().and_then(|attributes| attributes.get(WHY)?.string_value());
    SetAside {
        function: function.to_owned(),
        // What SQS or SNS moved by itself bears no reason.
        why: why.unwrap_or(MOVED).to_owned(),
        message: message.body.unwrap_or_default(),
    }
}
