//! The topic and its subscriptions, where they are ours to make.

use aws_sdk_sqs::types::QueueAttributeName;
use florin_queue::port::Subscription;
use serde_json::json;

use crate::Inner;
use crate::filter::filter_policy;
use crate::trouble::{AwsError, Trouble};

impl Inner {
    /// Lets the topic send to a queue, and subscribes the queue to what its function wants, delivered raw.
    ///
    /// AWS takes up to fifteen minutes until a changed filter holds everywhere.
    pub(crate) async fn subscribe(
        &self,
        topic: &str,
        subscription: Subscription,
        queue_url: &str,
        queue_arn: &str,
    ) -> Result<(), AwsError> {
        self.make_topic(topic).await?;
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "fan-out",
                "Effect": "Allow",
                "Principal": { "Service": "sns.amazonaws.com" },
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
            }],
        });
        let call = self.sqs.set_queue_attributes().queue_url(queue_url);
        call.attributes(QueueAttributeName::Policy, policy.to_string()).send().await?;

        // An empty policy is none.
        let filter = filter_policy(subscription.on).map_or("{}".to_owned(), |policy| policy.to_string());
        let attributes = [("RawMessageDelivery", "true"), ("FilterPolicy", &filter)];
        match self.subscription_of(topic, queue_arn).await? {
            Some(arn) => {
                for (name, value) in attributes {
                    let call = self.sns.set_subscription_attributes().subscription_arn(&arn);
                    call.attribute_name(name).attribute_value(value).send().await?;
                }
            }
            None => {
                let mut call = self.sns.subscribe().topic_arn(topic).protocol("sqs").endpoint(queue_arn);
                for (name, value) in attributes {
                    call = call.attributes(name, value);
                }
                call.send().await?;
            }
        }
        Ok(())
    }

    /// Makes the topic, unless it is there.
    async fn make_topic(&self, topic: &str) -> Result<(), AwsError> {
        let name = topic.rsplit(':').next().unwrap_or(topic);
        let made = self.sns.create_topic().name(name).send().await?.topic_arn.unwrap_or_default();
        if made == topic {
            return Ok(());
        }
        // Another account's or another region's: what is made here is not what is published to.
        let said = format!("the topic {name} of these credentials is {made} and not the configured {topic}");
        Err(AwsError { trouble: Trouble::Configuration, said })
    }

    /// The subscription of a queue to the topic, if there is one. To subscribe again with another filter is an error.
    async fn subscription_of(&self, topic: &str, queue_arn: &str) -> Result<Option<String>, AwsError> {
        let mut pages = self.sns.list_subscriptions_by_topic().topic_arn(topic).into_paginator().send();
        while let Some(page) = pages.next().await {
            for found in page?.subscriptions.unwrap_or_default() {
                if found.endpoint.as_deref() == Some(queue_arn) {
                    return Ok(found.subscription_arn);
                }
            }
        }
        Ok(None)
    }
}
